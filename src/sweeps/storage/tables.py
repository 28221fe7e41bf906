"""Tables of the sweep service, beside those of market data in the same metadata."""

import sqlalchemy as sa

from bot.market_store.tables import metadata, seal

sweep = sa.Table(
    "sweep",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("spec_digest", sa.String(64), nullable=False),
    sa.Column("engine_version", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("trials_total", sa.Integer, nullable=False),
    sa.Column("idempotency_key", sa.String(200), unique=True),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("data_pin", sa.String(64)),
    sa.Column("data_change", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reason", sa.Text),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""A submitted sweep; `spec` is its document as JSON text, `data_pin` a digest of the history it may read.

`data_change` is the newest change to market data when that digest was taken, 0 if there had been none;
`reason` says why the service itself ended it.
"""

compiled_sweep = sa.Table(
    "compiled_sweep",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("text_digest", sa.String(64), nullable=False),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("feasible", sa.LargeBinary, nullable=False),
)
"""A sweep as compiled: summary as JSON, packed feasible cells; `text_digest` names the spec they are of."""

DELETING = "deleting"
"""State of the row of a sweep that is gone for everybody, and whose trials are still to be deleted."""


def is_shown() -> sa.ColumnElement[bool]:
    """Return the condition that a sweep is not being deleted."""
    return sweep.c.state != DELETING


sweep_tag = sa.Table(
    "sweep_tag",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("tag", sa.String(64), primary_key=True),
    sa.Index("ix_sweep_tag_tag", "tag"),
)
"""Words that people put on sweeps."""

chunk = sa.Table(
    "chunk",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lo", sa.Integer, nullable=False),
    sa.Column("hi", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("token", sa.Integer, nullable=False, server_default="0"),
    sa.Column("owner", sa.String(200)),
    sa.Column("lease_until_ms", sa.BigInteger),
    sa.Column("published_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("last_error", sa.Text),
    sa.Column("trials_done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("trials_failed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("trials_reused", sa.Integer, nullable=False, server_default="0"),
    sa.Column("best_number", sa.Integer),
    sa.Column("best_rank", sa.BigInteger),
    sa.Index("ix_chunk_sweep_id_state", "sweep_id", "state", "id"),
    sa.Index("ix_chunk_state_attempts", "state", "attempts"),
    sa.Index("ix_chunk_state_published_ms", "state", "published_ms"),
)
"""Trial numbers [lo, hi) as one task. `token` counts claims for ever, so a late owner is told apart.

`best_rank` is the objective of the trial `best_number`, as `sweeps.storage.objective_ranks` has it.
"""

failed_trial = sa.Table(
    "failed_trial",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("error_code", sa.String(32)),
    sa.Column("error", sa.Text),
    sqlite_with_rowid=False,
)
"""One trial without a result, and why."""

trial_block = sa.Table(
    "trial_block",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("first", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""One column of the completed trials stored by one transaction: their only record.

`name` is a metric or one of `sweeps.storage.blocks`; `first` and `last` are the lowest and the highest
number. Blocks of a sweep may overlap, as where failed trials complete later, but each trial is in one alone.
"""

RUN_KEY_HEAD, RUN_KEY_TAIL = "run_key_head", "run_key_tail"
"""Columns of the first bytes of run keys, by which they are found, and of the others."""
HEAD_BYTES = 8

trial_curve = sa.Table(
    "trial_curve",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("objective_rank", sa.BigInteger, nullable=False),
    sa.Column("equity", sa.LargeBinary, nullable=False),
    sa.Column("trades", sa.LargeBinary, nullable=False),
)
"""Equity curve and round trips of the trials whose curves are kept, compressed.

`objective_rank` orders the trials of a sweep, as `sweeps.storage.objective_ranks` has it. The best trials of
a sweep in work have their row before their curve is worked out, see `sweeps.storage.leaderboard`.
"""

sweep_fingerprint = sa.Table(
    "sweep_fingerprint",
    metadata,
    sa.Column("fingerprint", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)
"""Histories that completed trials of a sweep were replayed on: the sweeps in which a run may be found again.

`fingerprint` is the first 60 bits of that of a window's data, `UNKNOWN_HISTORY` for older sweeps.
"""

UNKNOWN_HISTORY = -1

sweep_window = sa.Table(
    "sweep_window",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("names", sa.String(200), nullable=False),
    sa.Column("findings", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Findings about the data of each window of a sweep, a JSON list; a window without any has no row.

`digest` is that of the parameters which choose the window; `names` are the distinct names of its findings,
sorted, with commas between them.
"""

selection_sums = sa.Table(
    "selection_sums",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("panel", sa.String(64), primary_key=True),
    sa.Column("first", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""Sums of completed trials that their selection is judged by, `first` being the lowest number.

`panel` is a digest of everything that they depend on besides the trials: market, window, days, settings.
"""

selection_report = sa.Table(
    "selection_report",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("settings_digest", sa.String(64), primary_key=True),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("job_id", sa.Integer),
    sa.Column("report", sa.LargeBinary),
    sa.Index(
        "ix_selection_report_unmade",
        "job_id",
        "sweep_id",
        sqlite_where=sa.text("report IS NULL"),
        postgresql_where=sa.text("report IS NULL"),
    ),
    sqlite_with_rowid=False,
)
"""Report on the selection of an ended sweep under some settings, packed JSON; None while it is to be made.

`job_id` names the job that makes it, None before there is one.
"""

sweep_candidate = sa.Table(
    "sweep_candidate",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("annualized_return", sa.Float),
    sa.Column("net_pnl_over_hold", sa.BigInteger),
    sqlite_with_rowid=False,
)
"""Candidate of an ended sweep when it was judged, and its figures; money in units of 1e-8, null if undefined.

None for a sweep without an eligible trial.
"""

trial_mark = sa.Table(
    "trial_mark",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("pinned", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""Marks that readers left on trials; a trial without any has no row."""

sweep_share = sa.Table(
    "sweep_share",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("view", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
    sqlite_autoincrement=True,
)
"""Read-only links to one sweep each; of the token in a link only its digest is kept."""

sweep_notification = sa.Table(
    "sweep_notification",
    metadata,
    sa.Column("sweep_id", sa.ForeignKey(sweep.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("job_id", sa.Integer, index=True),
    sa.Column("delivered_ms", sa.BigInteger),
)
"""Address that is told when a sweep has ended, the job that tells it, and when it was told."""

webhook_secret = sa.Table(
    "webhook_secret",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("secret", sa.String(64), nullable=False),
)
"""Secret that notifications are signed with; one row, `id` 1, or none before there was a use for it."""

look = sa.Table(
    "look",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("exchange", sa.String(64), nullable=False),
    sa.Column("symbols", sa.Text, nullable=False),
    sa.Column("first_day", sa.Integer, nullable=False),
    sa.Column("last_day", sa.Integer, nullable=False),
    sa.Column("runs", sa.Integer, nullable=False),
    sa.Column("new", sa.Integer, nullable=False),
    sa.Column("independent", sa.Float),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""Runs whose results could be seen, kept for ever: market, days since 1970, and how many runs.

`name` says which they are: `sweep 3 binance 2024-01-01 2024-12-31`, or the run key of a single one. `new` of
them were not taken over; `independent` is the number of trials that they are worth, once judged. Of a sweep
that is still there `runs` and `new` follow from its trials.
"""

holdout_look = sa.Table(
    "holdout_look",
    metadata,
    sa.Column("seal_id", sa.ForeignKey(seal.c.id), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("sweep_id", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("opened", sa.Boolean, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("seal_id", "digest"),
)
"""Looks of trials at sealed days, numbered from 1; `digest` is that of a trial's parameters without its end.

`opened` ones were taken after the seal was; `result` is a JSON document.
"""

promotion = sa.Table(
    "promotion",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("run_key", sa.String(64), nullable=False),
    sa.Column("sweep_id", sa.Integer, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("override", sa.Text),
    sa.Column("decay", sa.Text),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
"""First promotion of each trial, kept for ever; `digest` is that of its parameters without its end.

`config` and `decay` are JSON documents: every parameter of the run, and how it did on the days after.
"""

heartbeat = sa.Table(
    "heartbeat",
    metadata,
    sa.Column("component", sa.String(16), primary_key=True),
    sa.Column("instance", sa.String(200), primary_key=True),
    sa.Column("beat_ms", sa.BigInteger, nullable=False),
    sa.Column("slots", sa.Integer, nullable=False, server_default="0"),
)
"""Last sign of life of each dispatcher and worker, with its number of replaying processes."""

replay_rate = sa.Table(
    "replay_rate",
    metadata,
    sa.Column("strategy", sa.String(64), primary_key=True),
    sa.Column("host", sa.String(200), primary_key=True),
    sa.Column("work", sa.BigInteger, nullable=False),
    sa.Column("busy_ms", sa.BigInteger, nullable=False),
)
"""Trials that a process of each machine replayed lately, and the time they took."""

counter = sa.Table(
    "tally",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
"""Counters of events, each in several rows, so that writers do not wait for each other."""

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until_ms", sa.BigInteger),
    sa.Column("published_ms", sa.BigInteger),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("result", sa.LargeBinary),
    sa.Column("error_code", sa.String(32)),
    sa.Column("error", sa.Text),
    sa.Column("progress", sa.Text),
    sa.Index("ix_job_state", "state", "id"),
    sqlite_autoincrement=True,
)
"""A single piece of work for a worker; `request`, `progress` and the packed `result` are JSON documents."""

job_upload = sa.Table(
    "job_upload",
    metadata,
    sa.Column("job_id", sa.ForeignKey(job.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)
"""The file that a job imports, in parts, until it is imported: workers may be on other machines."""

api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_ms", sa.BigInteger),
)
"""Named tokens of the API; of the token itself only its SHA-256 is kept."""

api_session = sa.Table(
    "api_session",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("token_digest", sa.ForeignKey(api_token.c.digest, ondelete="CASCADE")),
    sa.Column("expires_ms", sa.BigInteger, nullable=False),
)
"""Sessions of the dashboard, by a digest of their cookie; `token_digest` is null for the master token."""
