"""The end of a command: its status, and one line if it failed (a problem document with `--json`)."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, TextIO

import typer
from pydantic import ValidationError
from typer.main import get_command

from api.errors.problems import Problem, problem_of
from bot.errors import BotError
from bot.notation import quoted
from bot.validation import field_errors
from carrygrid.cli import INTERRUPTED, interrupts, leave_on_interrupt, streams

_QUOTED = re.compile(r"(?<!\w)'([^']*)'(?!\w)")
"""A value in the quotes that the library of the command line puts it in."""

DONE = 0
FAILED = 1
BAD_INPUT = 2


@dataclass(slots=True)
class Options:
    """Options of every command."""

    debug: bool = False


def run(app: typer.Typer, arguments: Sequence[str], *, owns_process: bool = False) -> int:
    """Run `app` and return its exit status; every expected error ends here.

    With `owns_process` the standard streams and the handling of Ctrl-C are set up for it.
    """
    options = Options()
    reporter = _Reporter(as_json="--json" in arguments, options=options)
    sys.excepthook = reporter.unexpected
    if owns_process:
        streams.make_ready()
    try:
        return _status(app, arguments, options, owns_process=owns_process)
    except BotError as error:
        return reporter.tell(problem_of(error))
    except typer.TyperException as error:
        sentence = _usage_sentence(error)
        # A group of commands that is called without one has printed its help and has nothing to add.
        return reporter.tell(Problem("usage", HTTPStatus.BAD_REQUEST, sentence)) if sentence else BAD_INPUT
    except OSError as error:
        return reporter.system(error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED


def _status(app: typer.Typer, arguments: Sequence[str], options: Options, *, owns_process: bool) -> int:
    """Return the status of the command once all of its output is written."""
    try:
        if owns_process:
            interrupts.raise_interrupts()
        status = get_command(app).main(
            list(arguments), prog_name="carrygrid", standalone_mode=False, obj=options
        )
        sys.stdout.flush()
    finally:
        if owns_process:
            leave_on_interrupt()
    return status if isinstance(status, int) else DONE


def _usage_sentence(error: typer.TyperException) -> str:
    """Return the error of a command line, the refused value included and quoted as everywhere."""
    cause = error.__cause__
    if isinstance(error, typer.BadParameter) and isinstance(cause, ValidationError):
        said = f"{_name(error.param)}: {field_errors(cause)[0].message.rstrip('.')}"
    else:
        said = error.format_message()
    return _QUOTED.sub(lambda found: quoted(found[1]), said)


def _name(parameter: Any) -> str:
    """Return an option as it is written, an argument as the help calls it."""
    if parameter is None:
        return "value"
    is_argument = parameter.param_type_name == "argument"
    return str((is_argument and parameter.metavar) or parameter.opts[0])


@dataclass(frozen=True, slots=True)
class _Reporter:
    as_json: bool
    options: Options

    def tell(self, problem: Problem) -> int:
        """Print the error, on standard error if standard output takes nothing; return the status."""
        if not (self.as_json and _wrote(sys.stdout, problem)):
            _wrote(sys.stderr, problem)
        return BAD_INPUT if 400 <= problem.status < 500 else FAILED

    def system(self, error: OSError) -> int:
        """Print an error of the system; nothing if the reader of the output has gone."""
        if isinstance(error, BrokenPipeError) and any(map(streams.has_no_reader, (sys.stdout, sys.stderr))):
            streams.silence(sys.stdout)
            streams.silence(sys.stderr)
            return FAILED
        return self.tell(Problem("system", HTTPStatus.INTERNAL_SERVER_ERROR, str(error)))

    def unexpected(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Say that the database or else the program is at fault, or nothing if Ctrl-C made a library fail."""
        interrupts.leave_if_interrupted()
        if self.options.debug:
            sys.__excepthook__(kind, error, trace)
            return
        if (problem := _trouble_of_database(error)) is not None:
            self.tell(problem)
            return
        detail = f"{kind.__name__}: {error}; this is a fault of the program, --debug shows where"
        self.tell(Problem("internal", HTTPStatus.INTERNAL_SERVER_ERROR, detail))


def _trouble_of_database(error: BaseException) -> Problem | None:
    if "sqlalchemy" not in sys.modules:  # slow to load, and no command uses a database without it
        return None
    import sqlite3

    from sqlalchemy.exc import SQLAlchemyError

    from api.errors.database_errors import database_problem

    return database_problem(error) if isinstance(error, SQLAlchemyError | sqlite3.Error) else None


def _wrote(stream: TextIO, problem: Problem) -> bool:
    """Return whether `problem` could be written: as a document to standard output, else as a line."""
    try:
        if stream is sys.stdout:
            print(streams.json_text(problem.document()))
        else:
            print(f"error: {problem.line}", file=stream)
        stream.flush()
    except OSError:
        streams.silence(stream)
        return False
    return True
