"""The service from a shell: the Python client, whose errors read like those of every other command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from api.errors.problems import Problem, ProblemError
from bot.errors import FieldError
from carrygrid import Client, FieldProblem, ServiceError, Sweep


@contextmanager
def service(url: str | None = None) -> Iterator[Client]:
    """Give a client of the service at `url`, or at the one that the environment names."""
    try:
        with Client(url) as client:
            yield client
    except ServiceError as error:
        fields = tuple(FieldError(refused.field, refused.message) for refused in error.errors)
        raise ProblemError(Problem(error.code, error.status, error.detail, fields)) from None


def renamed(error: ServiceError, rename: Callable[[str], str]) -> ServiceError:
    """Return a refusal of the service with other words for its fields."""
    fields = [FieldProblem(rename(one.field), one.message) for one in error.errors]
    told, tells = (
        "; ".join(f"{one.field}: {one.message}" for one in ones) for ones in (error.errors, fields)
    )
    return ServiceError(error.code, error.status, error.detail.replace(told, tells, 1), fields)


@contextmanager
def found_sweep(sweep_id: int) -> Iterator[Sweep]:
    """Give a sweep of the service that the environment names."""
    with service() as client:
        yield client.sweep(sweep_id)
