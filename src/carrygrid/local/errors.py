"""Errors that keep the local service from starting or running."""

from bot.errors import BotError


class StackError(BotError):
    """The local service cannot start, or one of its processes does not come up."""

    code = "stack_failed"
