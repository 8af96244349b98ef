"""The table of verbs: where each lives, so that only the one that is called is imported; and shared options."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from app.cli.call import Call

Function: TypeAlias = Callable[..., None]
Leaf: TypeAlias = tuple[str, str]
"""Module below `app.cli`, and the function in it."""

VERBS: Final[dict[str, Leaf | dict[str, Leaf]]] = {
    "demo": ("setup", "demo"),
    "init": ("setup", "init"),
    "doctor": ("doctor", "doctor"),
    "run": ("work", "run"),
    "ps": ("lists", "ps"),
    "show": ("look", "show"),
    "logs": ("logs", "logs"),
    "watch": ("watch", "watch"),
    "diff": ("look", "diff"),
    "why": ("look", "why"),
    "allow": ("network", "allow"),
    "inbox": ("lists", "inbox"),
    "cost": ("spending", "cost"),
    "answer": ("answers", "answer"),
    "tell": ("control", "tell"),
    "comment": ("review", "comment"),
    "changes": ("review", "changes"),
    "pick": ("review", "pick"),
    "approve": ("approve", "approve"),
    "merge": ("review", "merge"),
    "undo": ("review", "undo"),
    "attach": ("attach", "attach"),
    "shell": ("attach", "shell"),
    "stop": ("control", "stop"),
    "resume": ("control", "resume"),
    "retry": ("control", "retry"),
    "discard": ("trash", "discard"),
    "restore": ("trash", "restore"),
    "trash": ("trash", "trash"),
    "sweep": ("trash", "sweep"),
    "compare": ("routes", "compare"),
    "bundle": ("routes", "bundle"),
    "route": {"explain": ("routes", "explain"), "report": ("routes", "report")},
    "models": ("routes", "models"),
    "agents": {"": ("lists", "agents"), "test": ("trial", "try_out")},
    "prices": {
        "show": ("spending", "show"),
        "diff": ("spending", "diff"),
        "update": ("spending", "update"),
        "override": ("spending", "override"),
        "reprice": ("spending", "reprice"),
    },
    "audit": {"export": ("audit", "export")},
    "daemon": {"up": ("daemon", "up"), "down": ("daemon", "down"), "status": ("daemon", "status")},
    "upgrade": ("daemon", "upgrade"),
    "worker": ("hosts", "worker"),
    "hosts": ("hosts", "hosts"),
    "token": {"add": ("hosts", "add"), "list": ("hosts", "list_"), "revoke": ("hosts", "revoke")},
    "image": {"build": ("image", "build"), "approve": ("image", "approve")},
    "config": {"show": ("config", "show")},
    "notify": {"test": ("notify", "test")},
}
"""In the order of the help: first contact, then a task's way from goal to merge, then the rest.

A group whose name alone is a verb, too, has that one under the empty name.
"""

GROUPS: Final = {
    "route": "Look at who got which task, and how that turned out.",
    "agents": "List the agents that can be given work, or try one.",
    "prices": "Look at what models cost, and say what they cost.",
    "audit": "Read who did what, when, to which exact content.",
    "daemon": "Start, stop or look at the background supervisor.",
    "token": "Say who may ask over the network, and as what.",
    "image": "Make the images that agents run in.",
    "config": "Look at the configuration.",
    "notify": "Try how you are told what happens.",
}


def examples(*lines: str) -> Callable[[Function], Function]:
    """Give a verb the example commands that its help ends with."""

    def mark(function: Function) -> Function:
        function.__dict__["examples"] = lines
        return function

    return mark


class Verbs(TyperGroup):
    """Verbs that are imported when they are called, or when help lists them."""

    table: ClassVar[dict[str, Leaf | dict[str, Leaf]]] = VERBS

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in self.table if name]

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:
        entry = self.table.get(cmd_name) if cmd_name else None
        if entry is None:
            # The names are what the toolkit suggests the nearest from.
            self.commands = dict.fromkeys(self.list_commands(ctx), self)
            return None
        return _group(cmd_name, entry) if isinstance(entry, dict) else _command(cmd_name, *entry)


def leaves() -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """Every verb with its words, for example `("daemon", "up")`."""
    for name, entry in VERBS.items():
        if isinstance(entry, dict):
            yield from (
                ((name, below) if below else (name,), leaf) for below, leaf in entry.items()
            )
        else:
            yield (name,), entry


def function_of(leaf: Leaf) -> Function:
    """The function that carries a verb out."""
    module, name = leaf
    function: Function = getattr(import_module(f"app.cli.{module}"), name)
    return function


def _group(name: str, entries: dict[str, Leaf]) -> TyperGroup:
    class Below(Verbs):
        table: ClassVar[dict[str, Leaf | dict[str, Leaf]]] = dict(entries)

    app = typer.Typer(cls=Below, rich_markup_mode=None, add_completion=False)
    if "" in entries:
        alone = function_of(entries[""])
        app.callback(help=GROUPS[name], epilog=_epilog(alone), invoke_without_command=True)(
            _alone(alone)
        )
    else:
        app.callback(help=GROUPS[name], no_args_is_help=True)(_nothing)
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    group.name = name
    group.params.extend(shared_options() if "" in entries else ())
    return group


def _alone(function: Function) -> Function:
    """The verb that a group's name is when no other follows it; it has no options of its own."""

    def called(ctx: typer.Context) -> None:
        if ctx.invoked_subcommand is None:
            function(ctx)

    return called


def _epilog(function: Function) -> str:
    lines = function.__dict__.get("examples", ())
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _command(name: str, module: str, function_name: str) -> TyperCommand:
    function = function_of((module, function_name))
    app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    app.command(name, epilog=_epilog(function))(function)
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand)
    command.params.extend(shared_options())
    return command


def shared_options() -> list[Any]:
    """`--json`, `--repo` and `--url`, which every verb takes; their values go into the `Call`."""
    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(_shared)
    return typer.main.get_command(app).params


def _set_json(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - the toolkit's signature
    Call.of(ctx).json |= value


def _set_repo(ctx: typer.Context, value: Path | None) -> None:
    call = Call.of(ctx)
    call.repo = value or call.repo


def _set_url(ctx: typer.Context, value: str | None) -> None:
    if value:
        os.environ["SWARM_URL"] = value


def _shared(
    *,
    _json: Annotated[
        bool,
        typer.Option(
            "--json", callback=_set_json, expose_value=False, help="Print JSON to stdout."
        ),
    ] = False,
    _repo: Annotated[
        Path | None,
        typer.Option(
            "--repo",
            metavar="PATH",
            callback=_set_repo,
            expose_value=False,
            help="The repository that is meant, instead of the one you are in.",
        ),
    ] = None,
    _url: Annotated[
        str | None,
        typer.Option(
            "--url",
            metavar="URL",
            callback=_set_url,
            expose_value=False,
            help="Ask the supervisor there: unix:PATH or https://HOST:PORT; else SWARM_URL.",
        ),
    ] = None,
) -> None:
    """Carry the options that every verb takes."""


def _nothing() -> None:
    """Do nothing of its own: a group of verbs."""
