"""The configuration of supervisord for a set of programs.

Secrets stay in the environment. Paths are relative to the home folder, in which supervisord runs: it expands
them once or twice depending on the key, so that no escaping of a `%` would be right everywhere.
"""

import shlex
import signal
from collections.abc import Sequence

from carrygrid.local import leash
from carrygrid.local.programs import Program

_START_SECONDS = 3
_TRIES = 1_000_000
_LAST = "999"
_LOG_SIZE = "5MB"
_LOG_BACKUPS = 3


def render(socket: str, programs: Sequence[Program]) -> str:
    """Return the configuration; those that outlive others stop last, the others stop together."""
    sections = [_supervisord(socket)]
    sections += [_program(program, priority) for priority, program in enumerate(programs, start=1)]
    together = [program.name for program in programs if not program.outlives]
    sections += [_section("group:service", programs=",".join(together), priority=_LAST)] if together else []
    return "\n".join(sections)


def _supervisord(socket: str) -> str:
    return (
        _section("unix_http_server", file=socket, chmod="0600")
        + _section(
            "rpcinterface:supervisor",
            **{"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        )
        + _section(
            "supervisord",
            logfile="logs/supervisord.log",
            logfile_maxbytes=_LOG_SIZE,
            logfile_backups=str(_LOG_BACKUPS),
            pidfile="run/supervisord.pid",
            nodaemon="true",
        )
    )


def _program(program: Program, priority: int) -> str:
    leashed = leash.command("LEASH", signal.SIGKILL, program.command)
    command = _literal(shlex.join(leashed)).replace("LEASH", f"%(ENV_{leash.LEASH_PID})s", 1)
    return _section(
        f"program:{program.name}",
        command=command,
        priority=str(priority),
        startsecs=str(_START_SECONDS),
        startretries=str(_TRIES),
        autorestart="true",
        killasgroup="true",
        stopwaitsecs=str(program.stop_seconds),
        redirect_stderr="true",
        stdout_logfile=f"logs/{program.name}.log",
        stdout_logfile_maxbytes=_LOG_SIZE,
        stdout_logfile_backups=str(_LOG_BACKUPS),
        environment=",".join(f'{name}="{_literal(value)}"' for name, value in program.environment.items()),
    )


def _section(title: str, **values: str) -> str:
    lines = [f"[{title}]", *(f"{name}={value}" for name, value in values.items() if value)]
    return "\n".join(lines) + "\n"


def _literal(text: object) -> str:
    return str(text).replace("%", "%%")
