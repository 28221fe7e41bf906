"""Build the kernel's library: `python -m bot.kernel.build`, which `./run` and the wheel's build call.

It takes the C compiler that is there, else the one of the `ziglang` wheel if that can be imported. Imports
nothing of the project but `generate`, since it runs while the project is being built.
"""

import hashlib
import importlib.util
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.kernel import generate

_HERE = Path(__file__).parent
SOURCE = _HERE / "source"
LIBRARY = _HERE / "replay.so"
_GENERATED = "formulas.gen.h"
_FLAGS = (
    "-std=c11",
    "-O3",
    "-fPIC",
    "-fvisibility=default",
    "-fopenmp-simd",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wall",
    "-Wextra",
    "-Wno-unknown-pragmas",
    "-Wno-psabi",
)
_SANITIZED = (
    "-O1",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
)
_ZIG = "ziglang"


class NoCompilerError(RuntimeError):
    """There is no C compiler on this machine."""


def sources_digest() -> str:
    """Return the digest of all that a library is built from; one built from anything else is not loaded."""
    paths = sorted([*SOURCE.glob("*.[ch]"), generate.FORMULAS, *_HERE.glob("[bg]*.py")])
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def build(target: Path = LIBRARY, *, sanitized: bool = False) -> Path:
    """Build the library and put it in place at once; return its path.

    `sanitized` is for tests: such a library ends its process at the first wrong access or operation.

    Raises: NoCompilerError; CalledProcessError with what the compiler said.
    """
    compiler = find_compiler()
    if compiler is None:
        raise NoCompilerError("no C compiler was found (cc, gcc, clang or the ziglang wheel)")
    flags = (*_FLAGS, *(_SANITIZED if sanitized else ()))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / _GENERATED).write_text(generate.generate(generate.FORMULAS.read_text()))
        named = (f'-DSOURCES="{sources_digest()}"', f"-I{scratch}")
        fast = platform.machine() in {"x86_64", "AMD64"}
        units = [
            *_twice(compiler, "any", newer=False),
            *(
                (name, f"{name}.c", _processor(compiler, newer=False))
                for name in ("planes", "processor", "run_keys", "sha256", "window")
            ),
            ("select", "select.c", (*_processor(compiler, newer=False), *(("-DWITH_V3",) if fast else ()))),
        ]
        if fast:
            units += _twice(compiler, "v3", newer=True)
        objects = []
        for name, source, own in units:
            objects.append(str(scratch / f"{name}.o"))
            _run([*compiler, *flags, *named, *own, "-c", str(SOURCE / source), "-o", objects[-1]])
        made = scratch / "made"
        _run([*compiler, *flags, "-shared", *objects, "-lm", "-o", str(made)])
        part = target.with_suffix(".part")
        shutil.copyfile(made, part)
        part.replace(target)
    return target


def find_compiler() -> list[str] | None:
    """Return the command of a C compiler, None without one."""
    found = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if found is not None:
        return [found]
    return [sys.executable, "-m", _ZIG, "cc"] if importlib.util.find_spec(_ZIG) else None


def _twice(compiler: Sequence[str], name: str, *, newer: bool) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the units that are compiled for every processor and for newer ones: object, source, flags."""
    own = _processor(compiler, newer=newer)
    return [
        (f"replay_{name}", "replay.c", (f"-DREPLAY=replay_{name}", *own)),
        (f"shifts_{name}", "luck.c", (f"-DDRAWN_SHIFTS=shifts_{name}", *own)),
        (f"sums_{name}", "sums.c", (f"-DRETURN_SUMS=sums_{name}", f"-DEQUAL_ROWS=equals_{name}", *own)),
        (f"compared_{name}", "compare.c", (f"-DCOMPARED=compared_{name}", *own)),
    ]


def _processor(compiler: Sequence[str], *, newer: bool) -> tuple[str, ...]:
    """Return the flags for every processor of this architecture, or for x86-64 ones from 2015 on.

    Zig's own names differ, and without one it builds for the processor of this very machine.
    """
    if _ZIG in compiler:
        return ("-mcpu=x86_64_v3" if newer else "-mcpu=baseline",)
    return ("-march=x86-64-v3",) if newer else ()


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command


def main() -> int:
    """Build in place; return 1 with one line on stderr where that is not possible."""
    try:
        build()
    except NoCompilerError as error:
        sys.stderr.write(f"carrygrid: the replay kernel is not built: {error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        sys.stderr.write(f"carrygrid: the replay kernel is not built: {error.cmd[0]}: {said[0]}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
