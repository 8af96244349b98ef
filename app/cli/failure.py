"""How an error is told: a line and a hint on stderr, and with `--json` a document on stdout."""

import sys

from app.domain.errors import SwarmError
from app.domain.safe import clean


def report(error: SwarmError, *, as_json: bool) -> int:
    """Tell it; the exit code."""
    if as_json:
        import json

        sys.stdout.write(json.dumps({"error": document(error)}) + "\n")
    first, *more = clean(error.message).splitlines() or ["it failed without a word"]
    sys.stderr.write(f"swarm: {first}\n")
    for line in more:
        sys.stderr.write(f"       {line}\n")
    if error.hint:
        sys.stderr.write(f"       {clean(error.hint)}\n")
    return error.exit_code


def document(error: SwarmError) -> dict[str, object]:
    """The error as plain data."""
    return {
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }
