"""Variants of tests that only `./run test --all` runs: each holds what another variant of it holds too."""

import re

import pytest

_VARIANTS = (
    # A cluster keeps its sweeps in PostgreSQL; services over SQLite are run by `up`, demo, pages and faults.
    r"integration/test_(sweep_service|sweep_sharing|cluster_dispatchers)\.py::.*\[sqlite",
    r"integration/test_migrations_of_every_schema\.py::.*\[postgresql-00(0\d|1[0-3])\]",
    r"integration/test_migrations_of_every_schema\.py::.*\[sqlite-00(0[235689]|1[12])\]",
    r"integration/test_command_ends\.py::test_closed_streams_are_taken_as_nowhere\[>&-",
    r"integration/test_up\.py::test_interrupt_ends_everything_and_leaves_nothing_behind",
    r"integration/test_recorded_data_import\.py::test_every_row_of_every_file.*\[bybit\]",
    r"integration/test_supervisor\.py::test_the_private_broker_lets_its_user_do_no_more_than_queue\[odd\]",
    r"integration/test_chunk_runner\.py::test_a_trial_that_breaks_among_others_fails_alone\[sqlite",
    r"reliability/test_worker_shutdown\.py::test_results_of_a_commit_cut_off.*\[3\]",
    r"reliability/test_canaries\.py::test_lost_messages_are_sent_again_and_the_sweep_is_completed\[flush\]",
    r"e2e/test_(compare|trial_page)\.py::.*keep.*_the_rules_of_accessibility\[dark\]",
    r"e2e/test_new_sweep\.py::test_form_meets_the_rules_of_accessibility\[dark\]",
    r"unit/api/test_conformance\.py::.*\[open\]",
    r"unit/bot/backtest/test_probe\.py::test_recorded_markets_show_no_look_ahead\[simple\]",
    r"unit/bot/backtest/test_engine_agreement\.py::test_recorded_markets.*values3\]",
    r"unit/bot/paper/test_parity\.py::test_recorded_markets_give_them_to_processes_that_die\[(composite-3|hourly-2)\]",
)
_SLOW = re.compile("|".join(_VARIANTS))


def mark(items: list[pytest.Item]) -> None:
    """Mark the variants among `items` as slow."""
    for item in items:
        if _SLOW.search(item.nodeid):
            item.add_marker(pytest.mark.slow)
