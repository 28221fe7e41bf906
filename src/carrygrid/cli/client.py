"""The service from a shell: the Python client, whose errors read like those of every other command."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.errors.problems import Problem, ProblemError
from bot.errors import FieldError
from carrygrid import Client, ServiceError, Sweep


@contextmanager
def service(url: str | None = None) -> Iterator[Client]:
    """Give a client of the service at `url`, or at the one that the environment names."""
    try:
        with Client(url) as client:
            yield client
    except ServiceError as error:
        fields = tuple(FieldError(refused.field, refused.message) for refused in error.errors)
        raise ProblemError(Problem(error.code, error.status, error.detail, fields)) from None


@contextmanager
def found_sweep(sweep_id: int) -> Iterator[Sweep]:
    """Give a sweep of the service that the environment names."""
    with service() as client:
        yield client.sweep(sweep_id)
