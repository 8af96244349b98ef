"""The example of a harness in a package of its own, installed as a stranger would."""

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "docs" / "examples" / "swarm-codex-exec"
NAME = "codex-exec"


def install(target: Path) -> None:
    """Put the package below `target`; what it needs is here already."""
    uv = Path(sys.executable).with_name("uv")
    command = (str(uv), "pip", "install", "--quiet", "--no-deps", "--target", str(target))
    subprocess.run([*command, str(PACKAGE)], check=True, capture_output=True)
