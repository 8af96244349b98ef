"""A fleet whose every word tries to take over the terminal; as a program, the screen over it.

`python -m tests.support.hostile on` shows it as users see it; `off` without cleaning, so that only the last line
of defence stands between the agents and the terminal; `bare` without that either.
"""

import json
import sys
from collections.abc import Callable
from typing import Final, TypeAlias, TypedDict, Unpack

from msgspec.structs import replace

from app import wire
from app.domain import events as own
from app.domain import safe
from app.domain.errors import NotNow
from app.domain.ids import ReviewId, RunId
from app.domain.money import Micros
from app.domain.review import (
    Approval,
    CheckResult,
    Comment,
    FileChange,
    Finding,
    Severity,
    TurnCommit,
)
from app.domain.run import RunState
from app.tui.safe import PrintableOnly
from app.tui.widgets import deaf
from harnesses import events as agent
from tests.support.fleet import NOW, RecordedSwarm, Recording, app_over, question, review, row

PAYLOADS: Final = {
    "clipboard": "harmless \x1b]52;c;c3dhcm0=\x07",
    "title": "harmless \x1b]0;owned\x07",
    "colour": "harmless \x1b[38;5;199m",
    "clear": "harmless \x1b[2J\x1b[3J",
    "c1 csi": "harmless \x9b31;5m",
    "c1 osc": "harmless \x9d0;owned\x9c",
    "dcs": "harmless \x1bP+q4d73\x1b\\",
    "apc": "harmless \x1b_Gi=7\x1b\\",
    "bidi": "harmless \u202egnp.exe",
    "isolate": "harmless \u2066\u2069",
    "zero width": "harmless \u200b\u200d\ufeff",
    "tags": "harmless \U000e0041\U000e0042",
    "bell, backspace, return": "harmless \x07\x08\r",
    "nul and delete": "harmless \x00\x7f",
    "surrogate": "harmless \ud800",
    "markup": "harmless [bold [@click=app.bell]go[/] [/nope]",
}
"""The classes of text that were seen to get through a screen or to break it."""

FORBIDDEN: Final = {
    "clipboard": b"\x1b]52;c;c3dhcm0=",
    "title": b"\x1b]0;owned",
    "colour": b"\x1b[38;5;199m",
    "clear": b"\x1b[3J",
    "c1 csi": "\x9b".encode(),
    "c1 osc": "\x9d".encode(),
    "dcs": b"\x1bP+q4d73",
    "apc": b"\x1b_Gi=7",
    "bidi": "\u202e".encode(),
    "isolate": "\u2066".encode(),
    "zero width": "\u200b".encode(),
    "tags": "\U000e0041".encode(),
    "bell, backspace, return": b"\x08",
    "nul and delete": b"\x00",
    "surrogate": "\ud800".encode("utf-8", "surrogatepass"),
}
"""The bytes of each that must never be written; the screen itself writes none of them."""

EVIL: Final = " ".join(
    text for name, text in PAYLOADS.items() if name != "surrogate" or sys.argv[-1] != "bare"
)
"""All of them. A lone surrogate cannot be written at all: bare of every defence it ends the program."""
SECRET: Final = "jwt:0123456789ab"
"""The fingerprint of a secret in the change that is reviewed."""


Say: TypeAlias = Callable[[], str]
"""Gives what is said next."""
_LEVELS: Final[tuple[Severity, ...]] = ("block", "confirm", "warn")


class _More(TypedDict, total=False):
    question: Approval
    review: ReviewId
    checks: tuple[CheckResult, ...]
    activity: str


def hostile(say: Say = lambda: EVIL) -> Recording:
    """Every field an agent, a file or a repository can write holds every payload, or what `say` gives next."""
    asking, reviewed = RunId("evil2.1"), RunId("evil3.1")
    check = checked(say)
    recording = Recording(
        rows=[
            evil_row(say, "evil2", RunState.WAITING, question=asked(say, asking)),
            evil_row(
                say, "evil3", RunState.IN_REVIEW, review=ReviewId(f"{reviewed}-r1"), checks=(check,)
            ),
            evil_row(say, "evil4", RunState.WORKING, activity=say()),
            evil_row(say, "evil5", RunState.PARKED),
        ],
        agents=(agent_line(say),),
        trash=[evil_row(say, "evil6", RunState.DISCARDED)],
        health=(wire.DoctorLine(name=say(), ok=False, found=say(), fix=say()),),
        hosts=(host_line(say),),
        settings=(wire.SettingLine(key=say(), value=say(), origin=say()),),
        costs={by: (cost_line(say),) for by in ("task", "run", "subagent")},
    )
    findings = tuple(found(say, level) for level in _LEVELS)
    files = (FileChange(path=say(), status="modified", insertions=1, deletions=1),)
    recording.reviews.append(review(reviewed, files, findings=findings, checks=(check,)))
    recording.comments.append(commented(say, reviewed))
    trees = ("1" * 40, recording.reviews[-1].result_tree)
    recording.commits[reviewed] = tuple(
        TurnCommit(turn=turn, tree=tree, files=files) for turn, tree in enumerate(trees, 1)
    )
    recording.turns = {(reviewed, turn): _diff(say()) for turn in (1, 2)}
    for run in (asking, reviewed, RunId("evil4.1")):
        recording.diffs[run] = _diff(say())
        log(recording, run, say)
    return recording


def evil_row(say: Say, id_: str, state: RunState, **more: Unpack[_More]) -> wire.RunRow:
    made = row(id_, say(), state, agent=say(), lines=(1, 1, 1))
    run = replace(
        made.run,
        branch=say().replace("\ud800", ""),
        worktree="/nowhere/" + say(),
        model=say(),
        reason=say(),
    )
    return replace(made, run=run, task=replace(made.task, target=say(), checks=(say(),)), **more)


def asked(say: Say, run: RunId) -> Approval:
    edit = {"file_path": say(), "old_string": say(), "new_string": say()}
    return question(run, say(), detail=json.dumps(edit), reason=say())


def checked(say: Say) -> CheckResult:
    return CheckResult(command=say(), passed=False, code=1, seconds=1.0, tail=say())


def agent_line(say: Say) -> wire.AgentLine:
    return wire.AgentLine(
        name=say(), harness=say(), model=say(), title=say(), usable=False, why=say()
    )


def host_line(say: Say) -> wire.HostLine:
    return wire.HostLine(id="1", name=say(), state="dead", silent=1.0, labels=(say(),))


def cost_line(say: Say) -> wire.CostLine:
    return wire.CostLine(key=say(), micros=Micros(1), calls=1, input=1, output=1)


def found(say: Say, level: Severity) -> Finding:
    shown = SECRET * (level == "block")
    return Finding(severity=level, path=say(), rule=say(), why=say(), fingerprint=shown)


def commented(say: Say, run: RunId, number: int = 1) -> Comment:
    return Comment(run=run, number=number, path="f", line=1, text=say(), by=say(), at=NOW)


def _diff(said: str) -> bytes:
    evil = said.encode("utf-8", "surrogatepass").replace(b"\n", b"")
    return (
        b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@ %s\n-%s\n+%s \n %s\n"
        b"diff --git a/%s b/%s\n--- a/%s\n+++ b/%s\n@@ -1 +1 @@\n-a\n+b\n" % ((evil,) * 8)
    )


def log(recording: Recording, run: RunId, say: Say, turn: int = 1) -> None:
    """One of everything that can be told of a run."""
    message, thought, tool = f"m{turn}", f"t{turn}", f"c{turn}"
    said: tuple[own.Body, ...] = (
        own.TurnStarted(turn, say()),
        agent.SessionStarted(say(), say(), say()),
        agent.MessageChunk(say(), message),
        agent.ThoughtChunk(say(), thought),
        agent.ToolCall(f"{tool}a", say()),
        agent.ToolCallUpdate(f"{tool}a", "failed", say()),
        agent.ToolCall(f"{tool}b", say()),
        agent.ToolCallUpdate(f"{tool}b", "completed", say()),
        agent.PlanUpdated((agent.PlanEntry(say()),)),
        agent.PermissionAsked("q", say()),
        agent.MessageTaken(say()),
        agent.TurnEnded("error", say()),
        agent.Unreadable(say(), say()),
        own.StateChanged(RunState.WORKING, say()),
        own.Refused(say(), 402, budget=True),
        own.Checked(turn, checked(say)),
        own.Spent(1, 1, say(), 1, 1),
        own.Note(say()),
        own.Merged(ReviewId(say()), say(), say()),
        own.ReviewOpened(ReviewId(say()), say(), (say(),)),
    )
    recording.say(run, NOW, *said)


def main(words: list[str]) -> None:
    if words != ["on"]:
        without_cleaning()
    deaf.SECONDS = 0.0  # type: ignore[misc]
    if words == ["bare"]:
        PrintableOnly.apply = lambda self, segments, background: segments  # type: ignore[method-assign]
    swarm = RecordedSwarm(hostile())
    swarm.refusal = NotNow(EVIL, hint=EVIL)
    app_over(swarm).run()


def without_cleaning() -> None:
    """Take the sanitiser out of every module that holds it."""
    cleaners = {name: getattr(safe, name) for name in ("clean", "clean_line")}
    for module in list(sys.modules.values()):
        for name, cleaner in cleaners.items():
            if getattr(module, name, None) is cleaner:
                setattr(module, name, _as_it_is)


def _as_it_is(text: str, width: int = 0) -> str:
    # Line ends and tabs are layout, not payload; every drawn line is one line in either mode.
    return text.replace("\n", " ").replace("\t", " ")


if __name__ == "__main__":
    main(sys.argv[1:])
