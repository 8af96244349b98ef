"""What a harness is: how to launch one agent protocol, and how to read and answer its lines.

Sans-I/O: a harness never starts a process, opens a file or waits. The supervisor does, through a `Channel`.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

from harnesses.events import AgentEvent

StopDialect: TypeAlias = Literal["anthropic", "codex", "openai", "gemini", "litellm"]
"""How the gateway must phrase a refusal so that this agent stops at once."""


Dialect: TypeAlias = Literal["anthropic", "responses", "chat", "gemini"]
"""How an agent speaks to its model: Anthropic Messages, OpenAI Responses or Chat Completions, or Gemini's API."""


class Capabilities(msgspec.Struct, frozen=True):
    """What a harness can do; the supervisor asks before it relies on it."""

    resume: bool = False
    """A killed conversation can be continued by its own id."""
    permission: bool = False
    """The agent can ask and wait for an answer on its channel."""
    steer: bool = False
    """A message can be sent into a running turn."""
    interrupt: bool = False
    """A running turn can be stopped without killing the process."""
    scripted: bool = False
    """The agent only replays a script of the user's, so the embedded sandbox may run it."""
    stop_dialect: StopDialect = "anthropic"
    dialect: Dialect = "anthropic"
    """What the agent speaks to its model; only a provider that speaks it too can serve."""
    gateway_path: str = "/anthropic"
    """Where below the gateway's address this agent's model dialect is served."""


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """All a harness may know of the turn it starts. Paths are as the agent sees them."""

    run: str
    turn: int
    """1 for the first turn of a run."""
    prompt: str
    """What the agent is asked to do in this turn."""
    model: str
    """The model id to request; the gateway may map it."""
    workspace: str = "/workspace"
    state: str = "/state"
    """A directory that outlives the turn: the agent keeps its conversation there."""
    launch: str = "/swarm/launch"
    """Where `Launch.files` will lie, read-only."""
    gateway: str = "http://127.0.0.1:8080"
    """Base address of the gateway, without the dialect's path."""
    key: str = ""
    """The run's own key for the gateway; never a real API key."""
    conversation: str = ""
    """The agent's own id of the conversation to continue; empty starts a new one."""
    instructions: str = ""
    """The repository's own instructions to agents (AGENTS.md, CLAUDE.md), read from the base commit."""
    ask: bool = True
    """Whether the agent should ask for permission, or act freely inside its sandbox."""
    settings: Mapping[str, Any] = {}
    """The agent's settings from the catalogue, as the user wrote them."""


class Launch(msgspec.Struct, frozen=True):
    """How to start the agent for one turn."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    files: Mapping[str, bytes] = {}
    """File name to content; the sandbox lays them down at `Brief.launch` before the start."""
    interactive: bool = True
    """Whether standard input stays open for answers."""


class Send(msgspec.Struct, frozen=True):
    """A line to write to the agent's standard input."""

    line: str


Said: TypeAlias = list[AgentEvent | Send]
"""What comes of a line of the agent: what it says, and what it is to be sent."""


class Session(Protocol):
    """The conversation of one turn: pure state, rebuilt by feeding the same lines again."""

    def receive(self, line: str) -> Iterable[AgentEvent | Send]:
        """Take one line of the agent's output. Never raises on what an agent may print."""
        ...

    def answer(self, permission: str, *, allow: bool, note: str = "") -> Iterable[Send]:
        """Answer the question with that id. Answering twice, or an unknown id, sends nothing harmful."""
        ...

    def steer(self, message: str, text: str) -> Iterable[Send]:
        """Send a person's message into the running turn; nothing when the agent cannot take it now.

        `message` names it: sent twice, it arrives once. `MessageTaken` says that it was taken.
        """
        ...

    def interrupt(self) -> Iterable[Send]:
        """Ask the agent to stop its turn; nothing when the protocol has no way."""
        ...


class Harness(Protocol):
    """A driver of one agent protocol."""

    name: str
    capabilities: Capabilities

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuse settings this harness cannot work with: `HarnessError` names the key and the fix."""
        ...

    def launch(self, brief: Brief) -> Launch: ...

    def session(self, brief: Brief) -> Session: ...


@runtime_checkable
class Attachable(Protocol):
    """A harness whose agent has a screen of its own, on which a person can take over the conversation."""

    def attach(self, brief: Brief) -> Launch:
        """How to open `Brief.conversation` on a terminal. Raises `HarnessError` where this agent cannot."""
        ...


class Line(Protocol):
    """One line of output and where it stands; the same position each time it is read again."""

    @property
    def pos(self) -> int: ...
    @property
    def text(self) -> str: ...


class Channel(Protocol):
    """What a conversation needs of a running process. `sandboxes.base.Process` meets it."""

    def lines(self) -> AsyncIterator[Line]: ...

    async def send(self, line: str) -> None: ...
