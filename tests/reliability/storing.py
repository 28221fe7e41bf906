"""Database work of a worker, without the replays; imported by processes that must start soon."""

from bot.market_store.database import open_engine, write_transaction
from sweeps.queue.leases import claim_chunk, save_trials
from sweeps.storage.results import Results, failed_row


def store_chunks(url: str, sweep_id: int, owner: str, chunks: list[int]) -> None:
    """Claim chunks and store a row for each of their trials, as a worker does without the replay."""
    engine = open_engine(url, pool_size=1)
    for chunk_id in chunks:
        with write_transaction(engine) as connection:
            claim = claim_chunk(connection, sweep_id, chunk_id, owner)
        if claim is None:
            continue
        rows = [failed_row(sweep_id, number, "test", "stored by a test") for number in claim.missing]
        with write_transaction(engine) as connection:
            save_trials(connection, claim, Results.of(claim.sweep_id, failed=rows), last=True)
    engine.dispose()
