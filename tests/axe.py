"""The accessibility rules of axe-core, asked about a page in the browser."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# To tell of each element that passed as well takes as long as to judge the page.
_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "resultTypes": ["violations"],
}


def violations(page: Page, scope: str | None = None) -> list[str]:
    """Return what breaks a rule on the page, or within the element that `scope` selects: rule and element.

    Colours that move are judged where they stand: wait for the page to be drawn before asking.
    """
    found: dict[str, Any] = Axe().run(page, context=scope, options=_RULES).response
    return [
        f"{rule['id']}: {' '.join(str(part) for part in node['target'])}: {rule['help']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
