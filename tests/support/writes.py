"""Every place at which the supervisor writes into the state: a test may kill it right after each, once.

So it dies between any two writes that follow each other, whoever makes them. The code does not name these places:
they are read from it, as `FILE:LINE` below `app/supervisor`, and a process that was asked to dies at them.
"""

import ast
import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.store.database import Database
from app.supervisor import services

WRITES = "SWARM_TEST_WRITES"
"""Names a file with the places at which supervisors with this in their environment are still to die."""

SUPERVISOR = Path(services.__file__).parent
PASSES_ON = "services.py"
"""Its `move` writes for others; the place is theirs."""


def places(*functions: str) -> dict[str, str]:
    """Who writes what at each place, of these functions or of all: `{"race.py:25": "race.close_race(_stop)"}`.

    Without those where a `fault` follows at once: a test dies there already.
    """
    found = {
        f"{file.relative_to(SUPERVISOR)}:{line}": f"{file.stem}.{function}"
        for file in sorted(SUPERVISOR.rglob("*.py"))
        if file.name != PASSES_ON
        for line, function in _writes(ast.parse(file.read_text()), "")
    }
    return {at: what for at, what in found.items() if not functions or _function(what) in functions}


def _writes(node: ast.AST, function: str) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if (
        isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and _writes_down(node.value)
    ):
        yield node.lineno, f"{function}({ast.unparse(node.value.args[0])})"
    children = [*ast.iter_child_nodes(node)]
    for child, following in itertools.zip_longest(children, children[1:]):
        if not _is_fault(following):
            yield from _writes(child, function)


def _is_fault(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith("fault(")


def _function(what: str) -> str:
    return what.partition("(")[0]


def _writes_down(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return called.endswith("database.write") or called in ("s.move", "self._s.move")


def die_after_writes(file: Path) -> None:
    """From now on this process dies by SIGKILL after a write at a place in that file, and strikes it out."""
    original = Database.write

    async def write(database: Database, function: Any, *args: Any, **more: Any) -> Any:
        done = await original(database, function, *args, **more)
        place, left = _place(), file.read_text().split()
        if place in left:
            file.write_text(" ".join(each for each in left if each != place))
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    vars_of: Any = Database
    vars_of.write = write


def _place() -> str:
    """Where the write stands that has just been made."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_code.co_filename.endswith(f"/{PASSES_ON}"):
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    below = file.relative_to(SUPERVISOR) if file.is_relative_to(SUPERVISOR) else file
    return f"{below}:{frame.f_lineno}"
