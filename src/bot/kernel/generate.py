"""Generate the kernel's C of the money formulas from `bot/accounting/formulas.py` itself.

Each formula becomes functions over the kinds of numbers that it is asked with: float64 spans (many events of
one hedge), wide integers (an entry or an exit) and what is nearly that (certain, or not told), plain float64
(an estimate), checked terms (an account).
Run `python -m bot.kernel.generate` to read them. Imports nothing of the project, since it runs while the
project is being built.
"""

import ast
from pathlib import Path

FORMULAS = Path(__file__).parent.parent / "accounting" / "formulas.py"
_ONE = "ONE"
_OPERATORS = {ast.Mult: "mul", ast.Add: "add", ast.Sub: "sub", ast.Div: "quo"}
_SPAN_TYPES = {
    "per_unit": "UnitFlow",
    "cost": "Booked",
    "spot_cost": "Booked",
    "perp_pnl": "Booked",
    "price_pnl": "Booked",
    "flows": "Booked",
    "fees": "Booked",
}
"""Arguments of spans that are no plain `Span`."""
_SIDES = dict.fromkeys(("side", "spot_side", "perp_side"), "Side")
_TYPES = {
    "span": ("Span", "Booked"),
    "wide": ("Wide", "Wide"),
    "near": ("Near", "Booked"),
    "rough": ("double", "double"),
    "term": ("Term", "Term"),
}
"""Kinds of functions, with the types of arguments and of results."""
_KINDS = {
    "notional": ("span", "wide", "near"),
    "fee": ("wide", "near"),
    "unit_funding": ("wide",),
    "locked_margin": ("wide", "near"),
    "margin_backing": ("wide", "rough"),
    "margin_need": ("wide", "rough"),
    "spot_share": ("term", "rough"),
    "perp_share": ("term", "rough"),
    "unit_cost": ("wide", "rough"),
}
"""Formulas that are asked once an entry, an exit or an account; the others at every event as well."""


class UntranslatableError(ValueError):
    """A formula is written in a way that has no C."""


def generate(formulas: str) -> str:
    """Return the C of the source text `formulas`; raises UntranslatableError."""
    functions = [node for node in ast.parse(formulas).body if isinstance(node, ast.FunctionDef)]
    names = {function.name for function in functions}
    lines = ["/* Generated from bot/accounting/formulas.py: change that, not this. */"]
    for kind, (plain, returned) in _TYPES.items():
        for function in functions:
            if kind not in _KINDS.get(function.name, ("span", "wide")):
                continue
            types = _SIDES | (_SPAN_TYPES if kind == "span" else {})
            arguments = ", ".join(f"{types.get(one.arg, plain)} {one.arg}" for one in function.args.args)
            body = _expression(_result(function), kind, names)
            lines.append(f"static inline {returned} {function.name}_{kind}({arguments}) {{ return {body}; }}")
    return "\n".join(lines) + "\n"


def _result(function: ast.FunctionDef) -> ast.expr:
    """Return the expression of a function that has nothing but a docstring beside it."""
    body = [node for node in function.body if not _is_text(node)]
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        raise _untranslatable(function)
    return body[0].value


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _expression(node: ast.expr, kind: str, names: set[str]) -> str:
    if isinstance(node, ast.Name):
        return f"{_ONE}_{kind}" if node.id == _ONE else node.id
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _expression(node.left, kind, names), _expression(node.right, kind, names)
        return f"{_OPERATORS[type(node.op)]}({left}, {right})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return f"neg({_expression(node.operand, kind, names)})"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        arguments = ", ".join(_expression(argument, kind, names) for argument in node.args)
        if node.func.id == "book":
            return f"book({arguments})"
        if node.func.id in names:
            return f"{node.func.id}_{kind}({arguments})"
    raise _untranslatable(node)


def _untranslatable(node: ast.stmt | ast.expr) -> UntranslatableError:
    return UntranslatableError(f"formulas.py:{node.lineno}: {ast.unparse(node).splitlines()[0]} has no C")


if __name__ == "__main__":
    print(generate(FORMULAS.read_text()), end="")  # noqa: T201 - what it is run for
