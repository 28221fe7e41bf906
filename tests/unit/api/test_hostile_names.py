"""Names from outside: what cannot be shown is refused, all else is text wherever it appears."""

import html

import pytest
from fastapi.testclient import TestClient
from webservice import sweep_body

PAGE = {"Accept": "text/html"}
UNSHOWN = {
    "line break": "line\nbreak",
    "escape sequence": "\x1b[31mred",
    "right-to-left override": "a\u202egnp.exe",
    "isolate": "x\u2066y",
    "zero width": "zero\u200bwidth",
    "line separator": "a\u2028b",
    "lone surrogate": "a\ud800b",
}
SHOWN = {
    "link": "javascript:alert(1)",
    "element": "'\"><img src=x onerror=alert(1)>",
    "templates": "{{ 7 * 7 }} ${7 * 7} <%= 7 * 7 %> {% raw %}",
    "letters from right to left": "שלום مرحبا",
    "formula": "=HYPERLINK(1)",
}


@pytest.mark.parametrize("name", UNSHOWN.values(), ids=UNSHOWN)
def test_name_that_cannot_be_shown_is_refused_and_answered_in_characters_that_can(
    client: TestClient, name: str
) -> None:
    escaped = "".join(f"\\u{ord(each):04x}" for each in name)
    body = f'{{"name": "{escaped}"}}'
    response = client.post("/sweeps", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in {400, 422}
    assert response.text.isprintable()
    assert client.get("/sweeps").json()["sweeps"] == []


@pytest.mark.parametrize("name", SHOWN.values(), ids=SHOWN)
def test_name_is_text_on_its_own_in_whatever_direction_it_runs(client: TestClient, name: str) -> None:
    sweep_id = client.post("/sweeps", json=sweep_body(name=name)).json()["id"]
    client.patch(f"/sweeps/{sweep_id}", json={"tags": [name], "note": name})
    for path in ("/", f"/dashboard/sweeps/{sweep_id}"):
        page = client.get(path, headers=PAGE).text
        assert (
            page.count(
                f"<bdi>{html.escape(name).replace('&quot;', '&#34;').replace('&#x27;', '&#39;')}</bdi>"
            )
            >= 2
        )
        assert "<img" not in page
        assert 'href="javascript:' not in page


def test_page_of_an_address_that_is_none_shows_it_as_text(client: TestClient) -> None:
    page = client.get("/dashboard/sweeps/%E2%80%AE%3Cimg%20src=x%3E%0A", headers=PAGE)
    assert page.status_code in {404, 422}
    assert "<img" not in page.text
    assert "\u202e" not in page.text
