"""A workflow's body changes only together with the version under which runs in flight are found again."""

import ast
import hashlib
import inspect
import json
from pathlib import Path

from app.supervisor import workflows
from app.supervisor.engine import ENGINE_VERSION

PINNED = Path(__file__).parents[1] / "data" / "workflows.json"
"""Of each version that was ever used, what its workflows were."""


def fingerprint() -> str:
    """Of the bodies without comments and docstrings: what replaying a run depends on."""
    tree = ast.parse(inspect.getsource(workflows.workflows))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:16]


def test_the_workflows_are_those_of_their_version() -> None:
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))
    assert pinned.get(ENGINE_VERSION) == fingerprint(), (
        f"The body of a workflow has changed, and runs in flight were begun with another one. Bump ENGINE_VERSION "
        f"in app/supervisor/engine.py, and add its fingerprint {fingerprint()!r} to {PINNED.name}."
    )
