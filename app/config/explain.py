"""Every setting with its value and where that comes from: what `swarm config show` and the screen tell."""

import re
from pathlib import Path
from typing import Any

from app.config.load import REPOSITORY_FILE, Loaded, load, read


def in_force(user: Path, root: Path | None) -> Loaded:
    """The settings for the repository at `root`, its file read as it lies in the working tree."""
    file = root / REPOSITORY_FILE if root else None
    return load(user=user, repo_text=read(file) if file else None, repo_name=str(file))


def explained(loaded: Loaded) -> list[dict[str, Any]]:
    """`key`, `value` and `from` of each setting, in the order of the reference."""
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
    """A password inside an address is not shown; the way of a webhook's address is one."""
    if key == "database" and isinstance(value, str):
        return re.sub(r"(?<=://)([^:/@]*):.*@", r"\1:***@", value)
    if key == "notify.webhook" and isinstance(value, str):
        return re.sub(r"(?<=://)([^/]*)/.*", r"\1/***", value)
    return value
