"""A run's events as lines for a person."""

import time
from collections.abc import Iterator

from app.cli.render import changes, count, painted, short
from app.domain import events as swarm
from app.domain.events import Event
from app.domain.money import dollars
from app.domain.safe import clean, clean_line
from harnesses import events as agent

CUT = 200
"""Characters of an agent's single line that are shown."""


class Narrator:
    """Turns events into lines; the pieces of one message are put together to whole lines."""

    def __init__(self) -> None:
        self._kind = ""
        self._message = ""
        self._text = ""

    def lines(self, event: Event) -> Iterator[str]:
        """The lines that are complete with this event."""
        body = event.body
        stamp = time.strftime("%H:%M:%S", time.localtime(event.at))
        if isinstance(body, (agent.MessageChunk, agent.ThoughtChunk)):
            yield from self._spoken(stamp, body)
            return
        yield from self.rest(stamp)
        if line := _line(body):
            yield f"{painted(stamp, 'dim')}  {line}"

    def rest(self, stamp: str = "        ") -> Iterator[str]:
        """What was said so far of a line that has not ended."""
        text, self._text = self._text, ""
        if text.strip():
            yield _said(stamp, self._kind, text)

    def _spoken(self, stamp: str, body: agent.MessageChunk | agent.ThoughtChunk) -> Iterator[str]:
        kind = "says" if isinstance(body, agent.MessageChunk) else "thinks"
        if (kind, body.message) != (self._kind, self._message):
            yield from self.rest(stamp)
        self._kind, self._message = kind, body.message
        *whole, self._text = (self._text + body.text).split("\n")
        for line in whole:
            if line.strip():
                yield _said(stamp, kind, line)


def _said(stamp: str, kind: str, text: str) -> str:
    line = f"{kind:7} {clean(text).rstrip()}"
    return f"{painted(stamp, 'dim')}  {painted(line, 'dim' if kind == 'thinks' else '')}"


def _line(body: swarm.Body) -> str:
    """One event in words; nothing for what a person need not see here, or what swarm tells in its own."""
    if isinstance(body, swarm.Lifecycle):
        return _swarm_line(body)
    return _agent_line(body)


def _cut(text: str) -> str:
    return clean_line(text, CUT)


def _agent_line(body: agent.AgentEvent) -> str:
    match body:
        case agent.SessionStarted():
            return f"begins  {_cut(body.model)} {_cut(body.version)}".rstrip()
        case agent.ToolCall():
            return f"uses    {_cut(body.title)}"
        case agent.ToolCallUpdate():
            return f"failed  {_cut(body.output)}" if body.status == "failed" else ""
        case agent.PlanUpdated():
            return _plan(body)
        case agent.MessageTaken():
            return "hears   what you said"
        case agent.TurnEnded():
            return f"stops   {body.reason} {_cut(body.error)}".rstrip()
        case agent.Unreadable():
            return painted(f"unreadable  {_cut(body.line)}", "dim")
        case _:
            return ""


def _plan(body: agent.PlanUpdated) -> str:
    done = sum(entry.status == "completed" for entry in body.entries)
    now = next((e.text for e in body.entries if e.status == "in_progress"), "")
    return f"plan    {done} of {len(body.entries)} done {_cut(now)}".rstrip()


def _swarm_line(body: swarm.Lifecycle) -> str:
    match body:
        case swarm.StateChanged():
            return painted(f"state   {body.state} {_cut(body.reason)}".rstrip(), "bold")
        case swarm.TurnStarted():
            return f"turn    {body.turn}"
        case swarm.Snapshotted():
            size = f"{count(body.files, 'file')} {changes(body.insertions, body.deletions)}"
            return f"changed {size} {_cut(short(body.commit))}"
        case swarm.Checked():
            word = painted("passed", "green") if body.result.passed else painted("FAILED", "red")
            return f"check   {word} {_cut(body.result.command)}"
        case swarm.Spent():
            return (
                f"spent   {dollars(body.micros)}, {dollars(body.total)} so far ({_cut(body.model)})"
            )
        case swarm.Note():
            return f"{body.level:7} {_cut(body.text)}"
        case swarm.Refused() | swarm.Warned() | swarm.UpstreamFailed() | swarm.Flagged():
            return _trouble_line(body)
        case _:
            return _review_line(body)


def _trouble_line(
    body: swarm.Refused | swarm.Warned | swarm.UpstreamFailed | swarm.Flagged,
) -> str:
    match body:
        case swarm.Refused():
            return painted(f"refused {_cut(body.why)}", "red")
        case swarm.Warned():
            return painted(f"budget  {_cut(body.words())}", "yellow")
        case swarm.UpstreamFailed():
            return painted(f"models  {_cut(body.words())}", "yellow")
        case swarm.Flagged():
            return painted(f"flagged {_cut(body.words())}", "yellow")


def _review_line(body: swarm.Lifecycle) -> str:
    match body:
        case swarm.SetUp():
            word = painted("passed", "green") if body.result.passed else painted("FAILED", "red")
            return f"{body.phase:7} {word} {_cut(body.result.command)}"
        case swarm.Asked():
            ask = f"asks    {_cut(body.title)}   (swarm answer {_cut(body.approval)} yes|no)"
            return painted(ask, "yellow")
        case swarm.Answered():
            return f"answer  {body.answer} by {_cut(body.by)}"
        case swarm.ReviewOpened():
            found = f", conflicts in {count(len(body.conflicts), 'file')}" if body.conflicts else ""
            return f"review  {_cut(body.review)} opened{found}"
        case swarm.Decided():
            return f"verdict {body.verdict} by {_cut(body.by)}"
        case swarm.Merged():
            return painted(f"merged  {_cut(body.commit)} on {_cut(body.target)}", "green")
        case _:
            return f"{type(body).__name__}"
