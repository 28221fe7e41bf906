"""A worker without the replay kernel says so loudly, once, and why; one that has it says nothing."""

import pytest
from structlog.testing import capture_logs

from bot.kernel import loading
from bot.kernel.loading import Library, UnusableLibraryError
from workers import resources


def test_a_worker_without_the_kernel_says_so_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "found", lambda: UnusableLibraryError("it has not been built"))
    with capture_logs() as logs:
        resources.say_how_sweeps_run()
    said = (
        "no replay kernel (it has not been built): sweeps run plainly, 100 to 250 times slower; "
        "`python -m bot.kernel.build` builds it"
    )
    assert logs == [{"event": "SWEEPS RUN PLAINLY", "log_level": "warning", "reason": said}]


def test_a_worker_with_the_kernel_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "found", lambda: Library("plain C", None))  # type: ignore[arg-type]
    with capture_logs() as logs:
        resources.say_how_sweeps_run()
    assert logs == []
