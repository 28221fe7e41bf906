"""Layers of the tree: which packages import which, and how much one folder holds."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[3]
TOPS = {"src": ("bot", "carrygrid", "sweeps"), ".": ("api", "workers")}
MOST_MODULES = 22
GROWS_WITHOUT_END = "sweeps.migrations.versions"


def modules_of(root: Path, tops: Mapping[str, tuple[str, ...]]) -> dict[str, Path]:
    """Return the file of each module and package by its dotted name."""
    found = {}
    for base, names in tops.items():
        for path in sorted(path for name in names for path in (root / base / name).rglob("*.py")):
            parts = path.relative_to(root / base).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def crowded_folders(modules: Mapping[str, Path], most: int) -> dict[str, int]:
    """Return the number of modules of each folder that has more than `most`, by package."""
    counts = Counter(name.rpartition(".")[0] for name, path in modules.items() if path.stem != "__init__")
    return {name: count for name, count in counts.items() if count > most and name != GROWS_WITHOUT_END}


def mutual_imports(modules: Mapping[str, Path]) -> set[tuple[str, str]]:
    """Return each pair of packages side by side in one folder that import each other, even in functions."""
    arrows = {
        pair
        for name, path in modules.items()
        for used in _imports(name, path, modules)
        if (pair := _where_they_part(name, used)) and all(_is_package(side, modules) for side in pair)
    }
    return {(one, other) for one, other in arrows if one < other and (other, one) in arrows}


def packages_beside_others(modules: Mapping[str, Path]) -> set[str]:
    """Return each package of the three trees that has a package beside it, which must stand in a layer."""
    packages = {name for name in modules if _is_package(name, modules)}
    beside = Counter(name.rpartition(".")[0] for name in packages)
    ours = {name for name in packages if name.startswith(("api.", "bot.", "sweeps."))}
    return {name for name in ours if beside[name.rpartition(".")[0]] > 1}


def test_no_folder_holds_more_modules_than_a_reader_takes_in() -> None:
    assert crowded_folders(modules_of(ROOT, TOPS), MOST_MODULES) == {}


def test_no_two_packages_import_each_other() -> None:
    assert mutual_imports(modules_of(ROOT, TOPS)) == set()


def test_every_package_stands_in_a_layer() -> None:
    assert packages_beside_others(modules_of(ROOT, TOPS)) - _layered() == set()


def test_packages_that_import_each_other_are_found_even_inside_functions(tmp_path: Path) -> None:
    _write(
        tmp_path,
        {
            "a/__init__.py": "",
            "a/x/__init__.py": "",
            "a/x/one.py": "from a.y import two\n",
            "a/y/__init__.py": "",
            "a/y/two.py": "def late():\n    import a.x.one\n",
            "a/z/__init__.py": "from a.x.one import thing\n",
        },
    )
    assert mutual_imports(modules_of(tmp_path, {".": ("a",)})) == {("a.x", "a.y")}


def test_folder_of_one_module_too_many_is_found(tmp_path: Path) -> None:
    _write(tmp_path, {"a/__init__.py": "", "a/one.py": "", "a/two.py": "", "a/b/three.py": ""})
    modules = modules_of(tmp_path, {".": ("a",)})
    assert (crowded_folders(modules, 1), crowded_folders(modules, 2)) == ({"a": 2}, {})


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _layered() -> set[str]:
    """Return the packages that a contract in `pyproject.toml` names as layers, by dotted name."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return {
        f"{container}.{layer.strip()}"
        for contract in contracts
        if contract["type"] == "layers"
        for container in contract.get("containers", [])
        for line in contract["layers"]
        for layer in line.split("|")
    }


def _imports(name: str, path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{name}: import by full names"
            assert not node.level, f"{name}: import by full names"
            if node.module in modules:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                yield from (each if each in modules else node.module for each in full)


def _where_they_part(name: str, used: str) -> tuple[str, str] | None:
    """Return the two names, cut after the first part that differs; None if one lies within the other."""
    parts = list(zip(name.split("."), used.split("."), strict=False))
    same = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], parts)]
    if len(same) == len(parts):
        return None
    one, other = parts[len(same)]
    return ".".join([*same, one]), ".".join([*same, other])


def _is_package(name: str, modules: Mapping[str, Path]) -> bool:
    return name in modules and modules[name].stem == "__init__"
