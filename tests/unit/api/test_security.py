"""Sessions: signed by the token, for a week, for nobody else."""

import pytest

from api.security import SESSION_SECONDS, same_text, session_cookie, session_holds

NOW_MS = 1_700_000_000_000


def test_session_holds_for_its_token_until_it_expires() -> None:
    cookie = session_cookie("secret", NOW_MS)
    assert session_holds(cookie, "secret", NOW_MS)
    assert session_holds(cookie, "secret", NOW_MS + SESSION_SECONDS * 1000 - 1)
    assert not session_holds(cookie, "secret", NOW_MS + SESSION_SECONDS * 1000)


@pytest.mark.parametrize("cookie", ["", ".", "1.2", "abc", "9" * 400, "²³.x", "é.é"])
def test_a_made_up_session_is_refused(cookie: str) -> None:
    assert not session_holds(cookie, "secret", NOW_MS)


def test_a_session_of_another_token_or_with_another_end_is_refused() -> None:
    cookie = session_cookie("secret", NOW_MS)
    expires, _, signature = cookie.partition(".")
    assert not session_holds(cookie, "other", NOW_MS)
    assert not session_holds(f"{int(expires) + 1}.{signature}", "secret", NOW_MS)


def test_any_text_can_be_compared() -> None:
    assert same_text("é", "é")
    assert not same_text("\udcff", "é")
