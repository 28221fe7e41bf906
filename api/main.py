"""`uvicorn api.main:app`: the application with the settings of the environment."""

import logging

from api.application import create_app
from api.settings import Settings
from sweeps.logs import configure_logging

settings = Settings()
configure_logging(settings.log_level, settings.log_format)
for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
    logger = logging.getLogger(name)
    if logger.handlers:  # one without has been switched off, as by --no-access-log
        logger.handlers.clear()
        logger.propagate = True
app = create_app(settings)
