"""Files that commands write whole."""

from pathlib import Path

import pytest

from carrygrid.whole_files import whole


def write_and_fail(target: Path) -> None:
    with whole(target) as file:
        file.write(b"after")
        raise OSError("full")


def test_file_takes_the_place_of_another_once_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "trials.csv"
    target.write_text("before")
    with whole(target) as file:
        file.write(b"after")
        assert target.read_text() == "before"
    assert target.read_text() == "after"
    assert list(tmp_path.iterdir()) == [target]


def test_error_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "trials.csv"
    target.write_text("before")
    with pytest.raises(OSError, match="full"):
        write_and_fail(target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("there", [True, False])
def test_link_stays_and_what_it_points_to_is_written(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    target, link = folder / "trials.csv", tmp_path / "newest.csv"
    link.symlink_to(target)
    if there:
        target.write_text("before")
    with whole(link) as file:
        file.write(b"after")
    assert link.is_symlink()
    assert target.read_text() == "after"
    assert list(folder.iterdir()) == [target]
