"""How a command that fails says so: one line, or a problem document with `--json`; never a traceback."""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType

import typer
from pydantic import ValidationError
from typer.main import get_command

from api.problems import Problem, problem_of
from bot.errors import BotError

DONE = 0
FAILED = 1
BAD_INPUT = 2
INTERRUPTED = 130


@dataclass(slots=True)
class Options:
    """What holds for every command."""

    debug: bool = False


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run `app` and return its exit status; every expected error ends here."""
    options = Options()
    reporter = _Reporter(as_json="--json" in arguments, options=options)
    sys.excepthook = reporter.unexpected
    try:
        status = get_command(app).main(
            list(arguments), prog_name="carrygrid", standalone_mode=False, obj=options
        )
    except BotError as error:
        return reporter.tell(problem_of(error))
    except typer.TyperException as error:
        sentence = _usage_sentence(error)
        # A group of commands that is called without one has printed its help and has nothing to add.
        return reporter.tell(Problem("usage", HTTPStatus.BAD_REQUEST, sentence)) if sentence else BAD_INPUT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return reporter.tell(Problem("system", HTTPStatus.INTERNAL_SERVER_ERROR, str(error)))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return status if isinstance(status, int) else DONE


def _usage_sentence(error: typer.TyperException) -> str:
    """Return what is wrong with the command line, the refused value included."""
    cause = error.__cause__
    if not (isinstance(error, typer.BadParameter) and isinstance(cause, ValidationError)):
        return error.format_message()
    refused = cause.errors(include_url=False)[0]
    name = error.param.opts[0] if error.param is not None else "value"
    said = refused["msg"].removeprefix("Value error, ").removeprefix(f"{refused['input']!r} ")
    return f"{name}: {refused['input']!r}: {said[:1].lower()}{said[1:].rstrip('.')}"


@dataclass(frozen=True, slots=True)
class _Reporter:
    as_json: bool
    options: Options

    def tell(self, problem: Problem) -> int:
        if self.as_json:
            print(json.dumps(problem.document(), ensure_ascii=False))
        else:
            print(f"error: {problem.line}", file=sys.stderr)
        return BAD_INPUT if 400 <= problem.status < 500 else FAILED

    def unexpected(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if self.options.debug:
            sys.__excepthook__(kind, error, trace)
            return
        detail = f"{kind.__name__}: {error}; this is a fault of the program, --debug shows where"
        self.tell(Problem("internal", HTTPStatus.INTERNAL_SERVER_ERROR, detail))
