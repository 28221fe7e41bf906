"""Memo: answers are computed once and remembered, up to a number of them."""

from collections.abc import Callable

from bot.memo import Memo


def counting(calls: list[str], key: str) -> Callable[[], str]:
    def compute() -> str:
        calls.append(key)
        return key.upper()

    return compute


def test_answers_are_worked_out_once_until_they_are_too_many() -> None:
    memo, calls = Memo(2), list[str]()
    for key in ("a", "b", "a", "b"):
        assert memo.get(key, counting(calls, key)) == key.upper()
    assert calls == ["a", "b"]
    memo.get("c", counting(calls, "c"))
    memo.get("a", counting(calls, "a"))
    memo.get("c", counting(calls, "c"))
    assert calls == ["a", "b", "c", "a"]


def test_answers_that_need_others_are_remembered_as_well() -> None:
    memo, calls = Memo(3), list[str]()
    inner = counting(calls, "inner")
    for _ in range(2):
        assert memo.get("outer", lambda: memo.get("inner", inner) + "!") == "INNER!"
    assert calls == ["inner"]
