"""Named tokens and the secret of webhooks, kept in the database of the settings."""

import json
from dataclasses import asdict

from api.database import ready_database
from api.settings import Settings
from bot.market_store.database import write_transaction
from bot.timestamps import iso
from carrygrid.cli.printing import console, plain_table, showable
from sweeps.storage.access.scopes import Scope
from sweeps.storage.access.tokens import all_tokens, create_token, revoke_token
from sweeps.storage.notifications import signing_secret


def make(name: str, scope: Scope, days: int | None, *, as_json: bool) -> None:
    """Store a new token and print it."""
    with ready_database(Settings()) as engine, write_transaction(engine, durable=True) as connection:
        text = create_token(connection, name, scope, days)
    print(json.dumps({"name": name, "scope": scope, "token": text}) if as_json else text)


def show(*, as_json: bool) -> None:
    """Print every token without what it is."""
    with ready_database(Settings()) as engine, engine.connect() as connection:
        held = all_tokens(connection)
    if as_json:
        told = [{key: value for key, value in asdict(one).items() if key != "digest"} for one in held]
        print(json.dumps(told))
        return
    if not held:
        print("no tokens yet; carrygrid token create NAME makes one")
        return
    table = plain_table("name", "scope", "made", "holds until")
    for one in held:
        until = "for ever" if one.expires_ms is None else iso(one.expires_ms)
        table.add_row(showable(one.name), one.scope, iso(one.created_ms), until)
    console().print(table)


def drop(name: str) -> None:
    """Delete a token."""
    with ready_database(Settings()) as engine, write_transaction(engine, durable=True) as connection:
        revoke_token(connection, name)
    print(f"token {name} revoked")


def print_webhook_secret(*, new: bool) -> None:
    """Print the secret that notifications are signed with."""
    with ready_database(Settings()) as engine, write_transaction(engine, durable=True) as connection:
        secret = signing_secret(connection, new=new)
    print(secret)
