"""Parameters that presets of other structures than spot against a perp share, by the preset's name.

Contracts of hedges end as recorded, so that none is taken for dead.
"""

REVERSE = {
    "structure": "reverse",
    "borrow_leverage": 3,
    "margin_policy": "top_up",
    "exit_on_announcement": True,
    "end_dead_markets": False,
}
"""Spot borrowed against a third of its worth: it earns where shorts pay more than the interest."""

PERP_PERP = {
    "structure": "perp_perp",
    "perp_leverage": 3,
    "margin_policy": "top_up",
    "wallet_trigger": "0.2",
    "transfer_fee": "1",
    "transfer_delay_minutes": 30,
    "exit_on_announcement": True,
    "end_dead_markets": False,
}
"""Both legs margined, on two exchanges whose capital is levelled by transfers of half an hour."""

SYNTHETIC_DOLLAR = {
    "structure": "inverse",
    "exit_confirmations": 9,
    "min_hold_hours": 72,
    "exit_on_announcement": True,
    "end_dead_markets": False,
}
"""Coins as collateral of a short of their own worth, kept through days of low funding."""
