"""The secret of webhooks is shown once it is stored."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.market_store.database import write_transaction
from carrygrid.cli.token import tokens


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARRYGRID_HOME", str(tmp_path))
    monkeypatch.delenv("CARRYGRID_DATABASE_URL", raising=False)


def test_same_secret_is_printed_until_a_new_one_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for new in (False, False, True):
        tokens.print_webhook_secret(new=new)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] != printed[2]


def test_secret_that_could_not_be_stored_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def failing_to_commit(engine: sa.Engine, **options: Any) -> Iterator[sa.Connection]:
        with write_transaction(engine, **options) as connection:
            yield connection
            raise sa.exc.OperationalError("COMMIT", {}, Exception("disk is full"))

    monkeypatch.setattr(tokens, "write_transaction", failing_to_commit)
    with pytest.raises(sa.exc.OperationalError):
        tokens.print_webhook_secret(new=True)
    assert capsys.readouterr().out == ""
