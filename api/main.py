"""`uvicorn api.main:app`: the application with the settings of the environment."""

import logging

from api.application import create_app
from api.middleware.connections import bound_heads
from api.settings import Settings
from bot.errors import BotError
from sweeps.logs import configure_logging

try:
    settings = Settings()
except BotError as error:
    raise SystemExit(f"error: {error.message}") from None
configure_logging(settings.log_level, settings.log_format)
for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
    logger = logging.getLogger(name)
    if logger.handlers:  # one without has been switched off, as by --no-access-log
        logger.handlers.clear()
        logger.propagate = True
bound_heads()
app = create_app(settings)
