import pytest

from api.errors.problems import problem_of, status_problem
from bot.errors import (
    BotError,
    DataImportError,
    FieldError,
    InvalidInputError,
    NotForHedgesError,
    StoreError,
    UnknownSymbolError,
)


def test_refused_fields_become_a_422_that_lists_them() -> None:
    errors = [FieldError("start", '"x" is not a time'), FieldError("end", "is required")]
    assert problem_of(InvalidInputError(errors)).document() == {
        "type": "urn:carrygrid:problem:invalid_input",
        "title": "Invalid input",
        "status": 422,
        "detail": 'start: "x" is not a time; end: is required',
        "errors": [
            {"field": "start", "message": '"x" is not a time'},
            {"field": "end", "message": "is required"},
        ],
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UnknownSymbolError.of("symbols", '"X" is not held'), 422, "unknown_symbol"),
        (DataImportError("a.csv: no market data"), 422, "import_refused"),
        (StoreError("the database is newer"), 503, "store_unusable"),
        (NotForHedgesError("regimes: not available for hedges yet"), 409, "not_for_hedges"),
        (BotError("odd"), 500, "error"),
    ],
)
def test_each_error_keeps_its_code_and_takes_its_nearest_status(
    error: BotError, status: int, code: str
) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)


def test_a_message_of_several_lines_is_one_line_in_a_shell() -> None:
    assert problem_of(BotError("one\n  two")).line == "one two"


def test_a_bare_status_names_itself() -> None:
    document = status_problem(404).document()
    assert (document["title"], document["detail"], "errors" in document) == ("Not found", "Not Found", False)
