"""Rules of patience that the presets called `patient` share."""

PATIENT = {
    "exit_confirmations": 3,
    "min_hold_hours": 168,
    "exit_loss_horizon_hours": 240,
    "cooldown_hours": 24,
}
"""A week of holding, a signal at three settlements in a row that ten days would pay for, a day of rest."""
