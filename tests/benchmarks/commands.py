"""The command line of this checkout, with a home folder of its own."""

import os
import sys
from pathlib import Path

CARRYGRID = str(Path(sys.executable).with_name("carrygrid"))
"""The command as it is installed beside this interpreter."""


def environment(home: Path) -> dict[str, str]:
    """Return the environment of commands that use `home` and private servers, whatever is named in ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARRYGRID_")}
    return kept | {"CARRYGRID_HOME": str(home)}
