"""What the person's configuration says at this moment, for the parts that need no restart to follow it."""

import asyncio
import json
from pathlib import Path
from typing import Any

from app import wire
from app.config.explain import explained, in_force
from app.config.load import FILE, Loaded, load
from app.domain.errors import ConfigError
from app.supervisor.services import Services


async def now(s: Services) -> tuple[Loaded, str]:
    """The user's own settings as they are written now, or those read last, and why."""
    try:
        return await asyncio.to_thread(load, user=s.places.config), ""
    except ConfigError as error:
        return s.configuration, error.message


async def look(s: Services) -> wire.Look:
    """What the screen needs of them."""
    loaded, fault = await now(s)
    screen, notify = loaded.settings.screen, loaded.settings.notify
    return wire.Look(
        file=str(s.places.config / FILE),
        theme=screen.theme,
        signs=screen.signs,
        keys=dict(screen.keys),
        keys_from={key: str(loaded.origins.get(f"screen.keys.{key}", "")) for key in screen.keys},
        ring=notify.terminal,
        about=notify.about,
        quiet=notify.quiet,
        fault=fault,
    )


async def settings(s: Services, repo: str) -> tuple[wire.SettingLine, ...]:
    """All of them, in force for a repository, with where each is from."""
    root = Path(repo) if repo else None
    loaded = await asyncio.to_thread(in_force, s.places.config, root)
    return tuple(
        wire.SettingLine(key=line["key"], value=_shown(line["value"]), origin=line["from"])
        for line in explained(loaded)
    )


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)
