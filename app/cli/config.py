"""The verb that explains the configuration: config show."""

from typing import Any

import typer

from app.cli.call import Call
from app.cli.verbs import examples


@examples("swarm config show", "swarm config show --json")
def show(ctx: typer.Context) -> None:
    """Show every setting, and the file and line it is from.

    The repository's file is read as it lies in the working tree; a run reads it from the commit it starts from.
    """
    from app.config import paths
    from app.config.explain import explained, in_force

    call = Call.of(ctx)
    lines = explained(in_force(paths.config_dir(), call.root()))
    call.show(lines, lambda: _text(lines))
    if not call.json:
        call.say(f"Your own file is {paths.config_dir() / 'config.yaml'}.")


def _text(lines: list[dict[str, Any]]) -> str:
    from app.cli.render import table

    rows = [(line["key"], _shown(line["value"]), line["from"]) for line in lines]
    return table(("SETTING", "VALUE", "FROM"), rows)


def _shown(value: Any) -> str:
    import json

    return value if isinstance(value, str) and value else json.dumps(value)
