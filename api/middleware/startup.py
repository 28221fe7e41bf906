"""Error of an application that cannot start: one line, as the commands print it."""

import sys

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import BotError


class RefusedStart:
    """ASGI layer that puts the reason of an expected failure in the place of its traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on; a start that fails is told the server while its error is being handled."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_in_one_line(message: Message) -> None:
            error = sys.exception()
            if message["type"] == "lifespan.startup.failed" and isinstance(error, BotError):
                message = {**message, "message": f"error: {error.message}"}
            await send(message)

        await self._app(scope, receive, send_in_one_line)
