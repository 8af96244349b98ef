"""The form of a new task. Says who would get it, what it may cost and what it may touch before anything starts."""

import asyncio
import tempfile
from pathlib import Path
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Select, TextArea

from app import wire
from app.domain.errors import SwarmError
from app.domain.money import Micros, dollars, parse_dollars
from app.domain.safe import clean
from app.tui.desk import Desk
from app.tui.keymap import bindings, footer
from app.tui.messages import Refresh
from app.tui.model.line import Line, one_line, wrap
from app.tui.model.preview import preview_lines
from app.tui.safe import content
from app.tui.screens.dialogs import AskText
from app.tui.screens.outside import edited
from app.tui.widgets.bars import Rule, Written

PAUSE: Final = 0.4
"""Seconds without a key after which the supervisor is asked what the task would do."""
TOUCHES: Final = "It works on a copy in its sandbox; nothing lands before you approve it."


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
    NewTaskScreen #racing { width: 1fr; display: none; }
    NewTaskScreen #limit { height: 3; }
    NewTaskScreen #preview { height: auto; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.by_line = False
        """Whether each line of the goal is a task of its own."""
        self.racing: tuple[str, ...] = ()
        """Those who do it at the same time, where it is a race."""
        self.usable: tuple[str, ...] = ()
        """Names of the agents that can be given a task, once they are known."""

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
                yield Written(id="racing")
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
            yield Written(id="preview")
            yield Written(id="keys")

    def on_mount(self) -> None:
        self.query_one(Rule).title = "new task"
        for name in ("agent", "base", "budget", "checks"):
            self.query_one(f"#name-{name}", Written).text = ([(f" {name}", "label")],)
        for area in self.query(TextArea):
            area.tab_behavior = "focus"
        self.query_one("#keys", Written).text = (footer("form", None, 88),)
        self._say_limit()
        self.query_one("#goal").focus()
        self._load_agents()

    def action_do(self, what: str) -> None:
        match what:
            case "cancel":
                self.dismiss(None)
            case "lines":
                self.by_line = not self.by_line
                self.look_again()
            case "race":
                self._choose_race()
            case "editor":
                self._edit()
            case "file":
                self._read_file()
            case _:
                self._submit()

    @work(exclusive=True, group="dialog")
    async def _choose_race(self) -> None:
        """Who does it at the same time; nobody for no race."""
        chosen = self.query_one("#agent", Select).value
        first = [chosen] if isinstance(chosen, str) else []
        likely = dict.fromkeys((*first, *self.usable))
        asked = AskText(
            "who races for it?",
            "Two agents or more, with commas; none for no race. All start at once, each on a copy of its own, and "
            f"spend the budget of one together. There are: {', '.join(self.usable) or 'none'}",
            value=", ".join(self.racing or tuple(likely)[:2]),
            done="race",
        )
        typed = await self.app.push_screen_wait(asked)
        if typed is None:
            return
        names = (name.strip() for name in typed.split(","))
        self.racing = tuple(dict.fromkeys(name for name in names if name))
        self.query_one("#agent").display = not self.racing
        line = self.query_one("#racing", Written)
        line.display = bool(self.racing)
        line.text = ([(one_line(", ".join(self.racing)), ""), ("  race for it", "dim")],)
        self.look_again()

    @work(exclusive=True, group="dialog")
    async def _read_file(self) -> None:
        """The goal from a file: an issue's text, or a list of tasks."""
        asked = AskText(
            "the goal from a file",
            "An issue's text, or one task a line.",
            empty="path",
            done="read",
        )
        path = await self.app.push_screen_wait(asked)
        if not path or not path.strip():
            return
        try:
            text = Path(path.strip()).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._tell(f"{path.strip()} cannot be read: {error}", "bad")
        else:
            self._write(text)

    def _edit(self) -> None:
        """The goal in the person's own editor."""
        with tempfile.TemporaryDirectory(prefix="swarm-") as directory:
            file = Path(directory, "goal.md")
            file.write_text(self.query_one("#goal", TextArea).text, encoding="utf-8")
            if (why := edited(self.app, file)) is not None:
                self._tell(why, "bad")
                return
            self._write(file.read_text(encoding="utf-8", errors="replace"))

    def _write(self, text: str) -> None:
        area = self.query_one("#goal", TextArea)
        area.text = clean(text).strip()
        area.move_cursor(area.document.end)
        area.focus()

    @on(Input.Submitted)
    def send(self) -> None:
        """Enter in a field of one line is as good as the key."""
        self._submit()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Select.Changed)
    def look_again(self) -> None:
        """Whatever was changed may change who gets it and what it costs."""
        self._say_limit()
        self._preview()

    @work(exclusive=True, group="preview")
    async def _preview(self) -> None:
        """Ask what the first task of the form would do, once nobody types; typing never waits for it."""
        await asyncio.sleep(PAUSE)
        try:
            goals = self._goals()
            found = await self.desk.swarm.preview(self._written_task(goals[0]))
        except ValueError:
            lines: list[Line] = []  # What is wrong with it is said above.
        except SwarmError as error:
            lines = [[(" ✗ ", "bad"), (one_line(f"{error.message}. {error.hint}".strip()), "bad")]]
        else:
            lines = preview_lines(found, 88, len(goals))
        shown = self.query_one("#preview", Written)
        shown.text, shown.styles.height = tuple(lines), len(lines)

    @work(exclusive=True, group="agents")
    async def _load_agents(self) -> None:
        try:
            agents = await self.desk.swarm.agents()
        except SwarmError as error:
            self._tell(error.message, "bad")
            return
        ranked = sorted(agents, key=lambda agent: not agent.usable)
        self.usable = tuple(agent.name for agent in ranked if agent.usable)
        self.query_one("#agent", Select).set_options(
            [(_described(agent), agent.name) for agent in ranked]
        )

    @work(exclusive=True, group="submit")
    async def _submit(self) -> None:
        """All that are written; what has started is no longer in the form, should one be refused."""
        started: list[str] = []
        try:
            waiting = self._goals()
            while waiting:
                row = await self.desk.swarm.submit(self._written_task(waiting[0]))
                started.append(row.task.id)
                waiting.pop(0)
                if waiting:
                    self.query_one("#goal", TextArea).text = "\n".join(waiting)
        except ValueError as error:
            self._tell(str(error), "bad")
        except SwarmError as error:
            before = f"{len(started)} started; then: " if started else ""
            self._tell(f"{before}{error.message}. {error.hint}".strip(), "bad")
        else:
            are = "is" if len(started) == 1 else "are"
            self.app.notify(
                f"{', '.join(started)} {are} on {'its' if are == 'is' else 'their'} way",
                markup=False,
            )
            self.dismiss(None)
        if started:
            self.post_message(Refresh())

    def _goals(self) -> list[str]:
        """What shall be different, task by task. Raises `ValueError` when nothing is said."""
        text = self.query_one("#goal", TextArea).text.strip()
        if not text:
            raise ValueError("say what should be different when it is done")
        if not self.by_line:
            return [text]
        return [line.strip() for line in text.splitlines() if line.strip()]

    def _written_task(self, goal: str) -> wire.NewTask:
        """What the form says of that goal. Raises `ValueError` for what cannot be meant."""
        agent = self.query_one("#agent", Select).value
        budget = self.query_one("#budget", Input).value.strip()
        checks = self.query_one("#checks", TextArea).text.strip()
        return wire.NewTask(
            goal=goal,
            repo=self.desk.repo,
            agent=agent if isinstance(agent, str) and not self.racing else "",
            agents=self.racing,
            race=bool(self.racing),
            base=self.query_one("#base", Input).value.strip(),
            checks=tuple(line.strip() for line in checks.splitlines() if line.strip()) or None,
            budget=parse_dollars(budget) if budget else None,
            submitter=self.desk.user,
        )

    def _say_limit(self) -> None:
        """What it may cost at most, and what it may touch."""
        text = self.query_one("#goal", TextArea).text
        count = sum(bool(line.strip()) for line in text.splitlines()) if self.by_line else 1
        self.query_one(Rule).aside = f"one task a line: {count}" if self.by_line else ""
        each = f"{count} tasks, each of which " if count > 1 else ""
        if self.racing:
            each += f"{'has' if each else ''} {len(self.racing)} agents that together ".lstrip()
        typed = self.query_one("#budget", Input).value
        if not typed.strip():
            allowed = "may spend what the configuration allows one run, and not a cent more."
            self._tell(_sentence(each + allowed), "dim", TOUCHES)
            return
        try:
            budget = parse_dollars(typed)
        except ValueError as error:
            self._tell(str(error), "bad")
            return
        together = f" ({dollars(Micros(budget * count))} together)" if count > 1 else ""
        words = f"{each}may spend {dollars(budget)} at most{together}; then it parks and asks you."
        self._tell(_sentence(words), "warn", TOUCHES)

    def _tell(self, text: str, ink: str, more: str = "") -> None:
        lines: list[Line] = [[(" " + line, ink)] for line in wrap(text, 76)[:2]]
        lines += [[(" " + line, "dim")] for line in wrap(more, 76)[: 3 - len(lines)] if more]
        self.query_one("#limit", Written).text = tuple(lines)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _described(agent: wire.AgentLine) -> Content:
    words = (
        f"{agent.name}  {agent.model}" if agent.usable else f"{agent.name}  not usable: {agent.why}"
    )
    return content(one_line(words))
