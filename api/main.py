"""`uvicorn api.main:app`: the application with the settings of the environment."""

from api.application import create_app
from api.settings import Settings

app = create_app(Settings())
