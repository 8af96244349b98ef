"""Recorded sessions of real agents: `tests/data/transcripts/<harness>/<version>/<case>.jsonl`.

The first line is `{"meta": {…}}`; `meta.ends` is the reason the turn ended for, as a person read it off the
recording, or null when the agent was killed; `meta.resumes` is the conversation that a turn continues. The
others are `{"t", "dir": "out"|"in", "data": …}`, or `raw` in place of `data` for what is not JSON.

A package of its own keeps its recordings beside it: `SWARM_TRANSCRIPTS` names the directory in which there is one
for each version.
"""

import json
import os
from pathlib import Path

import msgspec

ROOT = Path(__file__).parents[1] / "data" / "transcripts"


class Recording(msgspec.Struct, frozen=True):
    name: str
    lines: tuple[str, ...]
    """What the agent printed."""
    ends: str | None
    """Reason of the turn's end; None when it never came."""
    resumes: str = ""
    """The conversation that is continued."""


def stored(harness: str) -> tuple[Recording, ...]:
    named = os.environ.get("SWARM_TRANSCRIPTS")
    own = ROOT / harness
    place = own if own.exists() or not named else Path(named)
    return tuple(read(path) for path in sorted(place.glob("*/*.jsonl")))


def read(path: Path) -> Recording:
    head, *rows = (json.loads(line) for line in path.read_text().splitlines())
    printed = [row for row in rows if row["dir"] == "out"]
    lines = [row["raw"] if "raw" in row else json.dumps(row["data"]) for row in printed]
    meta = head["meta"]
    name = f"{path.parent.name}/{path.stem}"
    return Recording(name, tuple(lines), meta["ends"], meta.get("resumes", ""))
