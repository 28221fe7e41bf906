"""A small safe language for constraints between parameters: numbers, names, arithmetic, comparison, logic.

Text is parsed by Python and walked against a whitelist; nothing is ever executed as Python. Numbers are exact
decimals. An expression works on whole columns at once (object arrays of Decimal, or a single Decimal).
"""

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException, DivisionByZero
from typing import Any

import numpy as np

from bot.config.fields import parameter_number
from bot.errors import InvalidInputError
from bot.notation import quoted
from bot.numbers.money import exact

MAX_LENGTH = 500
MAX_NODES = 120
MAX_DEPTH = 24

Columns = Mapping[str, Any]
_Part = Callable[[Columns], Any]
_Operator = Callable[[Any, Any], Any]

_ALPHABET = re.compile(r"[A-Za-z0-9_ .+\-*/%<>=!()]+\Z")
_NUMBER_WITH_LETTERS = re.compile(r"(?<![\w.])[\d.]++(?:[eE][+-]?\d++)?+[A-Za-z_]")
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition over parameters: its text, the names it reads and how many steps one evaluation takes."""

    text: str
    names: frozenset[str]
    steps: int
    _condition: _Part

    def holds(self, columns: Columns) -> Any:
        """Return the mask of rows that meet the condition, for columns of Decimal.

        Raises: ValueError if it divides by zero or leaves the range of exact numbers.
        """
        try:
            with exact():
                return np.asarray(self._condition(columns), dtype=np.bool_)
        except DecimalException as error:
            why = "it divides by zero"
            if not isinstance(error, DivisionByZero):
                why += " or leaves the range of exact numbers"
            raise ValueError(f"{quoted(self.text)} has no value everywhere: {why}") from None


def parse_constraint(text: object, known: Collection[str], path: str) -> Constraint:
    """Return the constraint written as `text` over the numeric parameters `known`.

    Raises: InvalidInputError for field `path` with the reason.
    """
    try:
        return _Reader(_checked_text(text), known).constraint()
    except ValueError as error:
        raise InvalidInputError.of(path, str(error)) from None


def _checked_text(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{quoted(text)} is not an expression")
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ValueError(f"has {len(text)} characters, at most {MAX_LENGTH} are allowed")
    if not _ALPHABET.match(text) or _NUMBER_WITH_LETTERS.search(text):
        raise ValueError(f"{quoted(text)} may hold names, numbers, + - * / %, comparisons and ( ) only")
    return text


class _Reader:
    def __init__(self, text: str, known: Collection[str]) -> None:
        self._text = text
        self._known = known
        self._names: set[str] = set()
        self._steps = 0

    def constraint(self) -> Constraint:
        try:
            tree = ast.parse(self._text, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise ValueError(f"{quoted(self._text)} is not a complete expression") from None
        condition = self._condition(tree.body, 0)
        if not self._names:
            raise ValueError(f"{quoted(self._text)} names no parameter")
        return Constraint(self._text, frozenset(self._names), self._steps, condition)

    def _count(self, depth: int) -> None:
        self._steps += 1
        if self._steps > MAX_NODES or depth > MAX_DEPTH:
            raise ValueError(f"{quoted(self._text)} is too long or nested too deeply")

    def _condition(self, node: ast.expr, depth: int) -> _Part:
        self._count(depth)
        match node:
            case ast.BoolOp():
                parts = [self._condition(value, depth + 1) for value in node.values]
                combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
                return lambda columns: _reduce(combine, [part(columns) for part in parts])
            case ast.UnaryOp(op=ast.Not()):
                inner = self._condition(node.operand, depth + 1)
                return lambda columns: np.logical_not(inner(columns))
            case ast.Compare():
                return self._comparison(node, depth)
        raise ValueError(f"{self._shown(node)} is not a condition")

    def _comparison(self, node: ast.Compare, depth: int) -> _Part:
        numbers = [self._number(side, depth + 1) for side in (node.left, *node.comparators)]
        compare = [self._known_operator(_COMPARISON, op, node) for op in node.ops]

        def evaluate(columns: Columns) -> Any:
            values = [number(columns) for number in numbers]
            pairs = zip(compare, values[:-1], values[1:], strict=True)
            return _reduce(np.logical_and, [test(left, right) for test, left, right in pairs])

        return evaluate

    def _number(self, node: ast.expr, depth: int) -> _Part:
        self._count(depth)
        match node:
            case ast.Constant():
                constant = parameter_number(self._shown(node))
                return lambda _: constant
            case ast.Name(id=name):
                return self._parameter(name)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                inner = self._number(node.operand, depth + 1)
                return (lambda columns: -inner(columns)) if isinstance(node.op, ast.USub) else inner
            case ast.BinOp():
                apply = self._known_operator(_ARITHMETIC, node.op, node)
                left, right = self._number(node.left, depth + 1), self._number(node.right, depth + 1)
                return lambda columns: apply(left(columns), right(columns))
        raise ValueError(f"{self._shown(node)} is not a number")

    def _parameter(self, name: str) -> _Part:
        if name not in self._known:
            raise ValueError(f"{quoted(name)} is not a numeric parameter of this sweep")
        self._names.add(name)
        return lambda columns: columns[name]

    def _known_operator(self, table: Mapping[Any, _Operator], op: ast.AST, node: ast.expr) -> _Operator:
        try:
            return table[type(op)]
        except KeyError:
            raise ValueError(f"{self._shown(node)} uses an operator that is not allowed") from None

    def _shown(self, node: ast.expr) -> str:
        return self._text[node.col_offset : node.end_col_offset]


def _reduce(combine: Callable[[Any, Any], Any], parts: list[Any]) -> Any:
    result = parts[0]
    for part in parts[1:]:
        result = combine(result, part)
    return result


def decimal_column(values: Collection[Decimal]) -> Any:
    """Return the values as a column that a constraint can read."""
    column = np.empty(len(values), dtype=object)
    column[:] = list(values)
    return column
