"""The kernel's money formulas are the production formulas, translated; what has no C is refused."""

import pytest

from bot.kernel.generate import FORMULAS, UntranslatableError, generate

_REFUSED = {
    "if": "def f(a, b):\n    if a:\n        return b\n    return a\n",
    "constant": "def f(a):\n    return a * 2\n",
    "method": "def f(a):\n    return a.quantize(a)\n",
    "floor": "def f(a, b):\n    return a // b\n",
    "keyword": "def f(a):\n    return book(amount=a)\n",
    "unknown": "def f(a):\n    return other(a)\n",
}


def test_every_formula_has_its_c_over_wide_integers() -> None:
    made = generate(FORMULAS.read_text())
    assert (
        "static inline Wide fee_wide(Wide quantity, Wide fill_price, Wide rate) "
        "{ return book(mul(mul(quantity, fill_price), rate)); }"
    ) in made
    assert (
        "static inline Booked funding_payment_span(Side side, UnitFlow per_unit, Span quantity) "
        "{ return book(mul(per_unit, mul(quantity, neg(side)))); }"
    ) in made


def test_sizing_and_margin_have_their_c_as_well() -> None:
    made = generate(FORMULAS.read_text())
    assert (
        "static inline Term perp_share_term(Term slippage, Term fee, Term leverage) "
        "{ return mul(sub(ONE_term, slippage), add(ONE_term, mul(fee, leverage))); }"
    ) in made
    assert (
        "static inline double margin_need_rough(Side side, double quantity, double mmr, double ratio) "
        "{ return mul(quantity, sub(mmr, mul(side, ratio))); }"
    ) in made


def test_a_changed_formula_changes_the_c() -> None:
    text = FORMULAS.read_text()
    changed = text.replace("return price_pnl + flows - fees", "return price_pnl - flows - fees")
    assert changed != text
    assert "return sub(sub(price_pnl, flows), fees);" in generate(changed)


@pytest.mark.parametrize("source", _REFUSED.values(), ids=_REFUSED)
def test_what_has_no_c_is_refused(source: str) -> None:
    with pytest.raises(UntranslatableError, match=r"formulas\.py:\d+: .* has no C"):
        generate(source)
