"""The form of a new task. Says what it may cost at most before anything starts."""

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Select, TextArea

from app import wire
from app.domain.errors import SwarmError
from app.domain.money import dollars, parse_dollars
from app.tui.desk import Desk
from app.tui.keymap import bindings, footer
from app.tui.messages import Refresh
from app.tui.model.line import Line, one_line, wrap
from app.tui.safe import content
from app.tui.widgets.bars import Rule, Written


class NewTaskScreen(ModalScreen[None]):
    """What is left empty comes from the configuration."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("form")]
    DEFAULT_CSS = """
    NewTaskScreen { align: center middle; background: $background 60%; }
    NewTaskScreen > Vertical {
        width: 90; max-width: 100%; height: auto; max-height: 100%; background: $swarm-band;
    }
    NewTaskScreen Horizontal { height: 1; }
    NewTaskScreen .name { width: 10; }
    NewTaskScreen Input, NewTaskScreen Select { width: 1fr; margin: 0 1 0 0; }
    NewTaskScreen TextArea { margin: 0 1; border: none; padding: 0; background: $surface; }
    NewTaskScreen #goal { height: 6; }
    NewTaskScreen #checks { height: 3; width: 1fr; margin: 0 1 0 0; }
    NewTaskScreen #checks-row { height: 3; }
    NewTaskScreen #limit { height: 2; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Rule()
            yield TextArea(
                id="goal", compact=True, placeholder="What should be different when it is done?"
            )
            yield Written()
            with Horizontal():
                yield Written(id="name-agent", classes="name")
                yield Select[str]([], id="agent", prompt="as configured", compact=True)
            with Horizontal():
                yield Written(id="name-base", classes="name")
                yield Input(id="base", placeholder="the branch that is checked out", compact=True)
            with Horizontal():
                yield Written(id="name-budget", classes="name")
                yield Input(id="budget", placeholder="as configured", compact=True)
            with Horizontal(id="checks-row"):
                yield Written(id="name-checks", classes="name")
                yield TextArea(
                    id="checks", compact=True, placeholder="as configured; one command a line"
                )
            yield Written()
            yield Written(id="limit")
            yield Written(id="keys")

    def on_mount(self) -> None:
        self.query_one(Rule).title = "new task"
        for name in ("agent", "base", "budget", "checks"):
            self.query_one(f"#name-{name}", Written).text = ([(f" {name}", "label")],)
        for area in self.query(TextArea):
            area.tab_behavior = "focus"
        self.query_one("#keys", Written).text = (footer("form", None, 88),)
        self._limit("")
        self.query_one("#goal").focus()
        self._load_agents()

    def action_do(self, what: str) -> None:
        if what == "cancel":
            self.dismiss(None)
        else:
            self._submit()

    @on(Input.Submitted)
    def send(self) -> None:
        """Enter in a field of one line is as good as the key."""
        self._submit()

    @on(Input.Changed, "#budget")
    def say_limit(self, event: Input.Changed) -> None:
        self._limit(event.value)

    @work(exclusive=True, group="agents")
    async def _load_agents(self) -> None:
        try:
            agents = await self.desk.swarm.agents()
        except SwarmError as error:
            self._tell(error.message, "bad")
            return
        ranked = sorted(agents, key=lambda agent: not agent.usable)
        self.query_one("#agent", Select).set_options(
            [(_described(agent), agent.name) for agent in ranked]
        )

    @work(exclusive=True, group="submit")
    async def _submit(self) -> None:
        try:
            row = await self.desk.swarm.submit(self._written_task())
        except ValueError as error:
            self._tell(str(error), "bad")
        except SwarmError as error:
            self._tell(f"{error.message}. {error.hint}".strip(), "bad")
        else:
            self.app.notify(f"{row.task.id} is on its way", markup=False)
            self.post_message(Refresh())
            self.dismiss(None)

    def _written_task(self) -> wire.NewTask:
        """What the form says. Raises `ValueError` for what cannot be meant."""
        goal = self.query_one("#goal", TextArea).text.strip()
        if not goal:
            raise ValueError("say what should be different when it is done")
        agent = self.query_one("#agent", Select).value
        budget = self.query_one("#budget", Input).value.strip()
        checks = self.query_one("#checks", TextArea).text.strip()
        return wire.NewTask(
            goal=goal,
            repo=self.desk.repo,
            agent=agent if isinstance(agent, str) else "",
            base=self.query_one("#base", Input).value.strip(),
            checks=tuple(line.strip() for line in checks.splitlines() if line.strip()) or None,
            budget=parse_dollars(budget) if budget else None,
            submitter=self.desk.user,
        )

    def _limit(self, typed: str) -> None:
        if not typed.strip():
            self._tell(
                "May spend what the configuration allows one run, and not a cent more.", "dim"
            )
            return
        try:
            budget = parse_dollars(typed)
        except ValueError as error:
            self._tell(str(error), "bad")
        else:
            self._tell(f"May spend {dollars(budget)} at most; then it parks and asks you.", "warn")

    def _tell(self, text: str, ink: str) -> None:
        lines: list[Line] = [[(" " + line, ink)] for line in wrap(text, 86)[:2]]
        self.query_one("#limit", Written).text = tuple(lines)


def _described(agent: wire.AgentLine) -> Content:
    words = (
        f"{agent.name}  {agent.model}" if agent.usable else f"{agent.name}  not usable: {agent.why}"
    )
    return content(one_line(words))
