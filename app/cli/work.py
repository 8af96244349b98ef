"""The verb that gives agents work: run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call, json_text, user_name
from app.cli.verbs import examples
from app.domain.errors import UsageError

if TYPE_CHECKING:
    from app import wire
    from app.client.client import Swarm
    from app.domain.cassette import Cassette
    from app.domain.money import Micros
    from app.domain.run import Run
    from policies.routes import Kind

Budget = Annotated[
    str | None, typer.Option("--budget", metavar="USD", help="Dollars a run may spend at most.")
]


@examples(
    'swarm run "Fix the flaky test in tests/test_io.py"',
    'swarm run "Add a --json flag" --agents claude-code,codex --race',
    'swarm run "Add a --json flag" --agent strong --check "make test" --budget 1.00 --wait',
    'swarm run "Fix the flaky test" --record flaky.cassette',
    'swarm run "Add a --json flag" --dry-run',
    "swarm run - < goal.md",
)
def run(  # noqa: PLR0913 - a parameter for each option
    ctx: typer.Context,
    goal: Annotated[
        str,
        typer.Argument(metavar="GOAL", help="What you want, in your words; - reads it from stdin."),
    ],
    *,
    agent: Annotated[
        str,
        typer.Option(
            "--agent", metavar="NAME", help="Who does it: see `swarm agents` and `swarm models`."
        ),
    ] = "",
    agents: Annotated[
        str,
        typer.Option(
            "--agents", metavar="A,B,…", help="Several: the first that can, the others stand in."
        ),
    ] = "",
    race: Annotated[
        bool, typer.Option("--race", help="All of --agents at once, under the budget of one.")
    ] = False,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="WORD",
            help="What sort of task, for the rules; else read off the goal.",
        ),
    ] = "",
    base: Annotated[
        str, typer.Option("--base", metavar="REF", help="Branch, tag or commit to start from.")
    ] = "",
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Fetch the base from its remote first; start from that.")
    ] = False,
    budget: Budget = None,
    check: Annotated[
        list[str] | None,
        typer.Option("--check", metavar="CMD", help="Must succeed before you look; repeatable."),
    ] = None,
    allow_network: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-network",
            metavar="NAME",
            help="A host it may reach, or a preset such as pypi; repeatable.",
        ),
    ] = None,
    label: Annotated[
        str, typer.Option("--label", metavar="WORD", help="A word to add costs up by.")
    ] = "",
    needs: Annotated[
        list[str] | None,
        typer.Option("--needs", metavar="LABEL", help="What its host must have; repeatable."),
    ] = None,
    priority: Annotated[
        int, typer.Option("--priority", metavar="N", help="More goes first, among several hosts.")
    ] = 0,
    record: Annotated[
        str, typer.Option("--record", metavar="FILE", help="Keep all it says with its model there.")
    ] = "",
    replay: Annotated[
        str,
        typer.Option("--replay", metavar="FILE", help="Such a file answers; no model is asked."),
    ] = "",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say who would get it, its cost, what it may touch."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Narrate, and end when swarm has nothing more to do.")
    ] = False,
) -> None:
    """Give a task to an agent, in its own sandbox, on its own branch.

    Prints the run's id. With --wait the exit code tells how it went: 0 merged, 1 failed, 3 in review, 4 budget
    spent. Questions of the agent are announced while waiting.
    """
    from app import wire

    call = Call.of(ctx)
    new = wire.NewTask(
        goal=sys.stdin.read().strip() if goal == "-" else goal,
        repo=str(call.where),
        agent=agent,
        agents=_named(agent, agents),
        race=race,
        kind=_kind(kind),
        base=base,
        fetch=fetch,
        checks=tuple(check) if check else None,
        budget=money(budget),
        label=label,
        cassette=_cassette(record, replay),
        allow_network=tuple(allow_network or ()),
        needs=tuple(needs or ()),
        priority=priority,
        submitter=user_name(),
    )
    if not new.goal.strip():
        raise UsageError("the goal is empty", hint='Say what you want: swarm run "Fix …"')
    if dry_run:
        _preview(call, new)
        return
    if wait and race:
        raise UsageError("a race is not waited for", hint="Follow it with `swarm compare ID`.")
    if wait:
        _run_and_wait(call, new)
        return
    row, notes = call.ask(lambda swarm: _submit(swarm, new))
    call.show(row, lambda: row.run.id)
    for note in () if call.json else notes:
        call.say(note)
    if not call.json:
        call.say(_follow(row, new))


def _preview(call: Call, new: "wire.NewTask") -> None:
    """What giving it would mean. Nothing is begun."""
    from app.cli.preview import preview_text

    found = call.ask(lambda swarm: swarm.preview(new))
    call.show(found, lambda: preview_text(found))
    if found.refused:
        raise typer.Exit(1)


def _follow(row: "wire.RunRow", new: "wire.NewTask") -> str:
    if new.race:
        count = len(new.agents)
        return (
            f"{count} agents are on it. Put them beside each other: `swarm compare {row.task.id}`."
        )
    return f"{row.run.agent} is on it. Follow it with `swarm logs {row.run.id} -f`."


def _cassette(record: str, replay: str) -> "Cassette":
    """The files of `--record` and `--replay`, in whatever directory the supervisor is."""
    from app.domain.cassette import Cassette

    return Cassette(
        record=str(Path(record).expanduser().absolute()) if record else "",
        replay=str(Path(replay).expanduser().absolute()) if replay else "",
    )


def _named(agent: str, agents: str) -> tuple[str, ...]:
    """The names of `--agents`. Raises `UsageError`."""
    if agent and agents:
        raise UsageError("--agent and --agents say the same thing", hint="Use one of them.")
    return tuple(name.strip() for name in agents.split(",") if name.strip())


def _kind(word: str) -> "Kind | None":
    """The sort of a task. Raises `UsageError`."""
    from policies.routes import KINDS

    known = next((kind for kind in KINDS if kind == word), None)
    if word and known is None:
        raise UsageError(f"there is no kind {word!r}", hint=f"Use one of {', '.join(KINDS)}.")
    return known


async def _submit(swarm: "Swarm", new: "wire.NewTask") -> "tuple[wire.RunRow, list[str]]":
    """The new run, and what a person should know of it at once."""
    from app.domain.events import Event, Note
    from app.domain.safe import clean_line

    row = await swarm.submit(new)
    said = [item async for item in swarm.events(run=row.run.id, follow=False)]
    bodies = [item.body for item in said if isinstance(item, Event)]
    warnings = [b for b in bodies if isinstance(b, Note) and b.level != "info"]
    return row, [f"{row.run.id}: {clean_line(note.text)}" for note in warnings]


def _run_and_wait(call: Call, new: "wire.NewTask") -> None:
    from app.cli.waiting import verdict_on, watch

    async def submit_and_watch(swarm: "Swarm") -> "Run":
        row = await swarm.submit(new)
        call.say(f"{row.run.id}: {row.run.agent} is on it. Ctrl-C stops waiting, not the work.")
        return await watch(call, swarm, row.run.id)

    finished = call.ask(submit_and_watch)
    error = verdict_on(finished)
    if not call.json:
        call.out(finished.id)
        if error:
            raise error
        return
    call.out(json_text(finished))
    if error:
        raise typer.Exit(error.exit_code)


def money(text: str | None, flag: str = "--budget") -> "Micros | None":
    """Dollars from the command line. Raises `UsageError`."""
    from app.domain.money import parse_dollars

    if text is None:
        return None
    try:
        return parse_dollars(text)
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from None
