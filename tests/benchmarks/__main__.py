"""`make bench`: every measurement, or those named on the command line. Nothing is asserted here."""

import importlib
import os
import platform
import signal
import sys
import time
from typing import Protocol, cast

MODULES = (
    *("startup", "gateway", "sandbox", "first_request", "together", "supervisor"),
    *("harnesses", "routing", "workspace", "screen", "scale", "hosts"),
)


class Benchmark(Protocol):
    """A module of this package."""

    NAME: str

    def measure(self) -> list[tuple[str, float, str]]:
        """Rows of (what, value, unit); `x` is a ratio to the floor named in the first field."""
        ...


def main() -> None:
    # Told to end, it ends what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    wanted = sys.argv[1:] or list(MODULES)
    uname = platform.uname()
    print(
        f"{uname.system} {uname.release}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    for name in wanted:
        module = cast("Benchmark", importlib.import_module(f"tests.benchmarks.{name}"))
        began = time.monotonic()
        print(f"\n{module.NAME}")
        for what, value, unit in module.measure():
            print(f"  {value:10.2f} {unit:4} {what}")
        print(f"  ({time.monotonic() - began:.0f} s)")


if __name__ == "__main__":
    main()
