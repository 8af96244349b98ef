"""The verb that explains the configuration: config show."""

import re
from typing import TYPE_CHECKING, Any

import typer

from app.cli.call import Call
from app.cli.verbs import examples

if TYPE_CHECKING:
    from app.config.load import Loaded

REPOSITORY_FILE = ".swarm/config.yaml"


@examples("swarm config show", "swarm config show --json")
def show(ctx: typer.Context) -> None:
    """Show every setting, and the file and line it is from.

    The repository's file is read as it lies in the working tree; a run reads it from the commit it starts from.
    """
    from app.config import paths
    from app.config.load import load, read

    call = Call.of(ctx)
    root = call.root()
    file = root / REPOSITORY_FILE if root else None
    text = read(file) if file else None
    loaded = load(user=paths.config_dir(), repo_text=text, repo_name=str(file))
    lines = explained(loaded)
    call.show(lines, lambda: _text(lines))
    if not call.json:
        call.say(f"Your own file is {paths.config_dir() / 'config.yaml'}.")


def explained(loaded: "Loaded") -> list[dict[str, Any]]:
    """Each setting with its value and where that comes from, in the order of the reference."""
    values = loaded.settings.model_dump(mode="json")
    return [
        {"key": key, "value": _masked(key, _at(values, key)), "from": str(origin)}
        for key, origin in sorted(loaded.origins.items(), key=lambda one: one[0])
    ]


def _at(values: Any, key: str) -> Any:
    """The value below a dotted key; names of models and agents may hold dots themselves."""
    if not key:
        return values
    for name in values:
        if key == name or key.startswith(f"{name}."):
            return _at(values[name], key[len(name) + 1 :])
    return None


def _masked(key: str, value: Any) -> Any:
    """A password inside an address is not shown."""
    if key == "database" and isinstance(value, str):
        return re.sub(r"(?<=://)([^:/@]*):.*@", r"\1:***@", value)
    return value


def _text(lines: list[dict[str, Any]]) -> str:
    from app.cli.render import table

    rows = [(line["key"], _shown(line["value"]), line["from"]) for line in lines]
    return table(("SETTING", "VALUE", "FROM"), rows)


def _shown(value: Any) -> str:
    import json

    return value if isinstance(value, str) and value else json.dumps(value)
