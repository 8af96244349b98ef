"""What keys do to a run, whatever screen they are pressed on."""

from collections.abc import Coroutine
from typing import Any, Final, cast

from app import wire
from app.domain.money import Micros, dollars, parse_dollars
from app.domain.review import Scope
from app.domain.run import RunState
from app.domain.safe import clean
from app.tui.messages import Open, Refresh
from app.tui.model.line import one_line
from app.tui.model.network import wanted
from app.tui.model.show import name
from app.tui.palettes import PALETTES
from app.tui.screens.base import SwarmScreen, Verb
from app.tui.screens.dialogs import AskText, Confirm
from app.tui.screens.help import HelpScreen
from app.tui.screens.outside import attach, attach_shell, edit_worktree, shell
from app.tui.widgets.diff_view import DiffView
from app.tui.widgets.question_card import QuestionCard
from app.wire import RunRow
from app.wire_screen import ThemeName


def chosen(screen: SwarmScreen) -> RunRow:
    """The run that keys are about; the table lets nothing through without one."""
    row = screen.row
    if row is None:
        raise LookupError("no run is selected")
    return row


async def stop(screen: SwarmScreen) -> None:
    row = chosen(screen)
    await screen.desk.swarm.stop(row.run.id, wire.Act(by=screen.desk.user))
    screen.say(f"{name(row)} is stopping; r takes it up again")


async def discard(screen: SwarmScreen) -> None:
    row = chosen(screen)
    back = "It goes into the trash; U brings it back, and so does the trash (T)."
    text = f"{one_line(row.task.goal)}\n\n{back}"
    if await screen.app.push_screen_wait(Confirm(f"discard {name(row)}?", text)):
        await screen.desk.swarm.discard(row.run.id, wire.Act(by=screen.desk.user))
        screen.desk.discarded.append((row.run.id,))
        screen.action_do("back")


async def bring_back(screen: SwarmScreen) -> None:
    """Undo the last discard of this screen."""
    if not screen.desk.discarded:
        screen.say("nothing was discarded here", hint="T shows what is in the trash")
        return
    back = []
    for run in screen.desk.discarded[-1]:
        row = await screen.desk.swarm.restore(run, wire.Act(by=screen.desk.user))
        back.append(name(row))
    screen.desk.discarded.pop()
    screen.say(f"{', '.join(back)} {'is' if len(back) == 1 else 'are'} back")
    screen.post_message(Refresh())


async def undo(screen: SwarmScreen) -> None:
    """Take a merged change back."""
    row = chosen(screen)
    how = "The branch goes back to where it was; has it moved on, a new commit reverses the change."
    text = f"{one_line(row.task.goal)}\n\n{how} The agent's work is kept."
    if await screen.app.push_screen_wait(Confirm(f"undo the merge of {name(row)}?", text)):
        await screen.desk.swarm.undo(row.run.id, wire.Act(by=screen.desk.user))
        screen.say(f"the merge of {name(row)} is undone")
        screen.post_message(Refresh())


async def again(screen: SwarmScreen) -> None:
    """A parked or stopped run goes on where it was; a failed one starts afresh."""
    row = chosen(screen)
    swarm, by = screen.desk.swarm, screen.desk.user
    if row.run.state is RunState.FAILED:
        await swarm.retry(row.run.id, wire.Retry(by=by))
    elif row.run.state is not RunState.PARKED:
        await swarm.resume(row.run.id, wire.Resume(by=by))
    elif (cap := await _new_cap(screen, row)) is not None:
        await swarm.resume(row.run.id, wire.Resume(budget=cap, by=by))
    screen.post_message(Refresh())


async def _new_cap(screen: SwarmScreen, row: RunRow) -> Micros | None:
    text = f"It has spent {dollars(row.run.spent)} of {dollars(row.run.budget)}."
    text += " What may it spend at most, all in all?"
    value = dollars(row.run.budget * 2).removeprefix("$")
    typed = await screen.app.push_screen_wait(
        AskText(f"{name(row)} goes on", text, value=value, done="go on")
    )
    return None if typed is None else amount(screen, typed)


def amount(screen: SwarmScreen, typed: str) -> Micros | None:
    """The dollars that were typed; what is no amount is said."""
    try:
        return parse_dollars(typed)
    except ValueError as error:
        screen.say(str(error), bad=True)
        return None


async def give_on(screen: SwarmScreen) -> None:
    """To another agent, as the task's next run; it gets what this one leaves, comments and all."""
    row = chosen(screen)
    usable = [each.name for each in await screen.desk.swarm.agents() if each.usable]
    others = [one for one in usable if one != row.run.agent]
    text = f"It starts afresh, and gets this change, what failed and your comments. There are: {', '.join(usable)}"
    title = f"who goes on with {name(row)}?"
    value = others[0] if others else ""
    agent = await screen.app.push_screen_wait(AskText(title, text, value=value, done="give"))
    if agent and agent.strip():
        body = wire.Retry(agent=agent.strip(), by=screen.desk.user)
        fresh = await screen.desk.swarm.retry(row.run.id, body)
        screen.say(f"{fresh.run.id} is on its way")
        screen.post_message(Refresh())


async def tell(screen: SwarmScreen) -> None:
    """Steer the agent: it hears it between two steps of its turn, or its next turn begins with it."""
    row = chosen(screen)
    text = "It hears this between two steps of its turn, or its next turn begins with it."
    said = await written(screen, f"to the agent of {name(row)}", text)
    if said and said.strip():
        await screen.desk.swarm.tell(row.run.id, wire.Tell(text=said, by=screen.desk.user))
        screen.say(f"{name(row)} is told")


async def written(
    screen: SwarmScreen,
    title: str,
    text: str,
    *,
    value: str = "",
    empty: str = "",
    done: str = "send",
) -> str | None:
    """Words for an agent, of as many lines as they have; None when the person thought better of it."""
    from app.tui.screens.edit_text import WriteText

    asked = WriteText(title, text, value=value, empty=empty, done=done)
    return await screen.app.push_screen_wait(asked)


async def allow_host(screen: SwarmScreen) -> None:
    """Let the run reach the host it was refused last, or the one the person writes instead."""
    row = chosen(screen)
    hosts = wanted(await screen.desk.swarm.network(row.run.id))
    if not hosts:
        screen.say(f"{name(row)} was refused no host that could be allowed")
        return
    text = "For this run only, over TLS; what it sends there is not looked at."
    if more := hosts[1:6]:
        text += f"\nIt was also refused: {', '.join(more)}"
    title = f"{name(row)} may reach one more host?"
    host = await screen.app.push_screen_wait(AskText(title, text, value=hosts[0], done="allow"))
    if host:
        body = wire.AllowHost(host=host, by=screen.desk.user)
        await screen.desk.swarm.allow(row.run.id, body)
        screen.say(f"{name(row)} may reach {host.strip()}")
        screen.post_message(Refresh())


async def answer(
    screen: SwarmScreen, approval: str, *, yes: bool, because: bool, scope: Scope = "once"
) -> None:
    """Send a person's answer to a question; with `because`, ask for the words first.

    What would be written for good is shown first, and a yes to it is for exactly that.
    """
    note, rule = "", ""
    if scope == "always":
        wanted = await screen.desk.swarm.rule(approval)
        title = "allow this for good, by this rule?"
        if not await screen.app.push_screen_wait(Confirm(title, clean(wanted.diff))):
            return
        rule = wanted.digest
    if because:
        typed = await written(screen, "no, because …", "The agent reads this.")
        if typed is None:
            return
        note = typed
    body = wire.Answer(yes=yes, note=note, scope=scope, rule=rule, by=screen.desk.user)
    await screen.desk.swarm.answer(approval, body)


def answer_by(screen: SwarmScreen, message: QuestionCard.Answer) -> Coroutine[Any, Any, None]:
    """Send what a person decided on the card."""
    return answer(
        screen,
        message.question.id,
        yes=message.yes,
        because=message.because,
        scope=message.scope,
    )


def copy_branch(screen: SwarmScreen) -> None:
    row = screen.row
    copy(screen, row.run.branch if row is not None else "")


def copy(screen: SwarmScreen, text: str) -> None:
    """Into the clipboard, by way of the terminal."""
    if not text:
        screen.say("there is nothing to copy yet")
        return
    text = one_line(text)
    # A lone surrogate cannot be written anywhere, and a copy of it must not end the screen.
    screen.app.copy_to_clipboard(text.encode("utf-8", "replace").decode())
    screen.say(f"copied: {text}")


def go_next(screen: SwarmScreen) -> None:
    """To the next run that waits for a person, after the one that is shown."""
    rows = screen.desk.fleet.needing_me()
    tasks = [row.task.id for row in rows]
    here = screen.row.task.id if screen.row is not None else None
    if not tasks or tasks == [here]:
        screen.say("nothing else needs you")
        return
    after = (tasks.index(here) + 1) % len(tasks) if here in tasks else 0
    screen.post_message(Open(tasks[after], instead=True))


def open_costs(screen: SwarmScreen) -> None:
    from app.tui.screens.cost import CostScreen

    screen.app.push_screen(CostScreen(screen.desk))


def next_theme(screen: SwarmScreen) -> None:
    """The next of the themes, until the screen is left."""
    app = screen.app
    if app.no_color:
        screen.say("NO_COLOR is set: there are no colours to choose from")
        return
    names = list(PALETTES)
    app.theme = names[(names.index(cast("ThemeName", app.theme)) + 1) % len(names)]
    screen.say(
        f"theme: {app.theme}", hint=f"`screen: {{theme: {app.theme}}}` in your config keeps it"
    )


def open_trash(screen: SwarmScreen) -> None:
    from app.tui.screens.trash import TrashScreen

    screen.app.push_screen(TrashScreen(screen.desk))


def open_race(screen: SwarmScreen) -> None:
    from app.tui.screens.race import RaceScreen

    if screen.row is None:
        screen.say("no run is selected")
        return
    screen.app.push_screen(RaceScreen(screen.desk, screen.row.run.id))


def open_doctor(screen: SwarmScreen) -> None:
    from app.tui.screens.doctor import DoctorScreen

    screen.app.push_screen(DoctorScreen(screen.desk))


def open_settings(screen: SwarmScreen) -> None:
    from app.tui.screens.settings import SettingsScreen

    screen.app.push_screen(SettingsScreen(screen.desk))


def open_inbox(screen: SwarmScreen) -> None:
    from app.tui.screens.inbox import InboxScreen

    if not isinstance(screen, InboxScreen):
        screen.app.push_screen(InboxScreen(screen.desk))


def show_help(screen: SwarmScreen) -> None:
    screen.app.push_screen(HelpScreen(screen.PLACE))


async def command(screen: SwarmScreen) -> None:
    """Run a verb of the command line that the person types."""
    from app.tui.screens.command import CommandScreen, OutputScreen, words_of

    typed = await screen.app.push_screen_wait(CommandScreen(screen.desk.verbs))
    if typed is None:
        return
    try:
        words = words_of(typed, screen.row.run.id if screen.row is not None else "")
    except ValueError as error:
        screen.say(str(error), bad=True)
    else:
        screen.app.push_screen(OutputScreen(screen.desk, words))


def open_palette(screen: SwarmScreen) -> None:
    screen.app.action_command_palette()


def go_back(screen: SwarmScreen) -> None:
    screen.app.pop_screen()


def refresh(screen: SwarmScreen) -> None:
    screen.post_message(Refresh())


def side_by_side(screen: SwarmScreen) -> None:
    """Diffs in two columns or in one, here and on the next screens."""
    screen.desk.side_by_side = not screen.desk.side_by_side
    view = screen.query_one(DiffView)
    view.lay_out(side_by_side=screen.desk.side_by_side)
    if not view.display:
        screen.say(f"diffs are shown {'side by side' if view.side_by_side else 'in one column'}")


def pane(screen: SwarmScreen) -> None:
    screen.focus_next()


def pane_back(screen: SwarmScreen) -> None:
    screen.focus_previous()


COMMON: Final[dict[str, Verb]] = {
    "side_by_side": side_by_side,
    "pane": pane,
    "pane_back": pane_back,
    "edit": edit_worktree,
    "shell": shell,
    "attach": attach,
    "attach_shell": attach_shell,
    "copy": copy_branch,
    "discard": discard,
    "bring_back": bring_back,
    "refresh": refresh,
    "command": command,
    "palette": open_palette,
    "help": show_help,
    "back": go_back,
    "quit": go_back,
    "next": go_next,
    "inbox": open_inbox,
    "costs": open_costs,
    "trash": open_trash,
    "give_on": give_on,
    "race": open_race,
    "theme": next_theme,
    "doctor": open_doctor,
    "settings": open_settings,
}
"""What means the same on every screen."""

OF_A_RUN: Final[dict[str, Verb]] = {
    "stop": stop,
    "again": again,
    "allow_host": allow_host,
    "tell": tell,
    "undo": undo,
}
"""What board and run view have in common besides."""
