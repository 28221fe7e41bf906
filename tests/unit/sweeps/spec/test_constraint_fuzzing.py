"""Generated constraints: what is accepted means what it says, and nothing else is ever run."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.errors import InvalidInputError
from sweeps.spec.constraints import MAX_DEPTH, MAX_LENGTH, MAX_NODES, parse_constraint

KNOWN = frozenset({"a", "b", "perp_leverage"})
PLAIN = {"__builtins__": {}}

numbers = st.decimals(min_value=-999, max_value=999, places=3).map(str)
leaves = st.one_of(st.sampled_from(sorted(KNOWN)), st.integers(0, 999).map(str))
sums = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda part: f"({' '.join(part)})"),
        inner.map(lambda text: f"-{text}"),
    ),
    max_leaves=8,
)
comparisons = st.tuples(sums, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), sums).map(" ".join)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda part: f"({' '.join(part)})"),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=6,
)
pythonic = st.recursive(
    st.sampled_from(
        ["a", "b", "1", "0x1f", "1_0", "1j", "''", "None", "True", "__import__", "a.real", "...", "b''"]
    ),
    lambda inner: st.one_of(
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"{text}()"),
        inner.map(lambda text: f"{text}.__class__"),
        inner.map(lambda text: f"[{text} for a in b]"),
        inner.map(lambda text: f"(lambda: {text})()"),
        inner.map(lambda text: f"f'{{{text}}}'"),
        inner.map(lambda text: f"{{{text}: 1}}"),
        st.tuples(inner, inner).map(lambda part: f"{part[0]} ** {part[1]}"),
        st.tuples(inner, inner).map(lambda part: f"{part[0]} // {part[1]}"),
        st.tuples(inner, inner).map(lambda part: f"{part[0]}[{part[1]}]"),
        st.tuples(inner, inner).map(lambda part: f"({part[0]} := {part[1]})"),
        st.tuples(inner, inner).map(lambda part: f"{part[0]} if {part[1]} else a"),
        st.tuples(inner, inner).map(lambda part: f"{part[0]} << {part[1]}"),
    ),
    max_leaves=6,
)


@given(text=conditions, a=numbers, b=numbers, leverage=numbers)
def test_an_accepted_condition_is_what_exact_arithmetic_says(
    text: str, a: str, b: str, leverage: str
) -> None:
    values = {"a": a, "b": b, "perp_leverage": leverage}
    try:
        constraint = parse_constraint(text, KNOWN, "c")
    except InvalidInputError:
        assume(False)
    names = {name: Fraction(value) for name, value in values.items()}
    expected = eval(text, PLAIN, names)
    assert bool(constraint.holds({name: Decimal(value) for name, value in values.items()})) is expected


@given(text=pythonic, other=pythonic)
def test_nothing_of_python_but_names_and_numbers_gets_in(text: str, other: str) -> None:
    written = f"{text} < {other} and a > 0"
    try:
        constraint = parse_constraint(written, KNOWN, "c")
    except InvalidInputError:
        return
    left = written.replace("and a > 0", "").translate(str.maketrans("()<", "   ")).split()
    assert set(left) <= {"a", "b", "1"}
    assert constraint.steps <= MAX_NODES


@pytest.mark.parametrize(
    "text",
    [
        "a" + " + a" * 200 + " > 0",
        "-" * 400 + "a > 0",
        "not " * 100 + "a > 0",
        "a > " + "9" * 400,
        "a > 1e400",
        "a > 1e-400",
        " and ".join(["a > 0"] * 60),
        "a<" * 130 + "a",
    ],
)
def test_what_could_take_long_is_refused_before_it_is_worked_out(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_constraint(text, KNOWN, "c")


def test_the_largest_that_is_accepted_leaves_the_exact_range_with_an_error() -> None:
    product = " * ".join(["a"] * (MAX_DEPTH - 2))
    assert len(product) < MAX_LENGTH
    constraint = parse_constraint(f"{product} > 0", KNOWN, "c")
    assert bool(constraint.holds({"a": Decimal("1e14")}))
    assert not bool(constraint.holds({"a": Decimal("-1e14")} if MAX_DEPTH % 2 else {"a": Decimal(0)}))
