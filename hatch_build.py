"""Hook of the wheel's build: the replay kernel is compiled and goes into the wheel.

Without a C compiler the wheel is built without it; sweeps then run plainly.
"""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelBuildHook(BuildHookInterface):
    """Builds the kernel's library into the source tree, where an editable install looks for it as well."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface
        """Compile, and name the platform in the wheel's tag."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from bot.kernel import build  # noqa: PLC0415 - found only now

        if build.main() != 0:
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(build.LIBRARY.relative_to(self.root).as_posix())
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
