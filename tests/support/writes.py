"""Every place at which the supervisor writes into the state: a test may kill it right after each, once.

So it dies between any two writes that follow each other, whoever makes them. The code does not name these places:
they are read from it, as `FILE:LINE` below `app/supervisor`, and a process that was asked to dies at them.
"""

import ast
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from app.store.database import Database
from app.supervisor import services

FLAG = "SWARM_TEST_WRITES"
"""Names the file in which stand the places at which supervisors with this in their environment have died."""
ONLY = "SWARM_TEST_WRITES_ONLY"
"""The functions whose writes count; all, where it is empty."""

SUPERVISOR = Path(services.__file__).parent
PASSES_ON = "services.py"
"""Its `move` writes for others; the place is theirs."""


def places() -> dict[str, str]:
    """Who writes what at each place: `{"race.py:25": "race.close_race(_stop)"}`."""
    return {
        f"{file.relative_to(SUPERVISOR)}:{line}": f"{file.stem}.{function}"
        for file in sorted(SUPERVISOR.rglob("*.py"))
        if file.name != PASSES_ON
        for line, function in _writes(ast.parse(file.read_text()), "")
    }


def _writes(node: ast.AST, function: str) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = node.name
    if (
        isinstance(node, ast.Await)
        and isinstance(node.value, ast.Call)
        and _writes_down(node.value)
    ):
        yield node.lineno, f"{function}({ast.unparse(node.value.args[0])})"
    for child in ast.iter_child_nodes(node):
        yield from _writes(child, function)


def functions(of: Iterable[str]) -> set[str]:
    """The functions of these places: `{"race.close_race"}`."""
    known = places()
    return {known[place].partition("(")[0] for place in of}


def _writes_down(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return called.endswith("database.write") or called in ("s.move", "self._s.move")


def die_after_writes(flag: Path, only: str) -> None:
    """From now on this process dies by SIGKILL after the first write at each place where none has died yet."""
    original = Database.write
    named = only.split()

    async def write(database: Database, function: Any, *args: Any, **more: Any) -> Any:
        done = await original(database, function, *args, **more)
        died = flag.read_text().split() if flag.exists() else []
        if (place := _place(named)) and place not in died:
            flag.write_text(" ".join([*died, place]))
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    vars_of: Any = Database
    vars_of.write = write


def _place(named: list[str]) -> str:
    """Where the write stands that has just been made; empty for one that does not count."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_code.co_filename.endswith(f"/{PASSES_ON}"):
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    counts = not named or f"{file.stem}.{frame.f_code.co_name}" in named
    if not counts or not file.is_relative_to(SUPERVISOR):
        return ""
    return f"{file.relative_to(SUPERVISOR)}:{frame.f_lineno}"
