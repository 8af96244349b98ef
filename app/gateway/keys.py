"""Where the user's API keys come from. A key is never logged, never told, and kept for a minute at most."""

import asyncio
import os
import shlex
from pathlib import Path
from typing import Final

from app.domain.errors import EnvironmentProblem
from app.gateway.settings import Upstream

REDACTED: Final = "[key withheld by swarm]"
_COMMAND_LIMIT: Final = 15.0
_LOGINS: Final = ("sk-ant-oat", "sk-ant-ort", "{")
"""How tokens of a subscription's login begin, and the files in which programs keep them."""


def redact(text: str, key: str) -> str:
    """The text without the key."""
    return text.replace(key, REDACTED) if key else text


async def resolve(upstream: Upstream) -> str:
    """The key, empty where none is configured. Raises `EnvironmentProblem` that names the place without one."""
    if not upstream.key:
        return ""
    kind, _, place = upstream.key.partition(":")
    match kind:
        case "env":
            key, where = os.environ.get(place, ""), f"the environment variable {place}"
        case "file":
            key, where = await _from_file(Path(place)), f"the file {place}"
        case "cmd":
            key, where = await _from_command(place), f"the command {place!r}"
        case "keyring":
            key, where = await _from_keyring(upstream, place), f"the keyring entry {place}"
        case _:
            raise EnvironmentProblem(
                f"the key of upstream {upstream.name!r} is not of the form env:, file:, cmd: or keyring:",
                hint=f"Correct gateway.upstreams.{upstream.name}.key.",
            )
    if not (key := key.strip()):
        raise EnvironmentProblem(
            f"there is no API key for upstream {upstream.name!r}: {where} gives none",
            hint=f"Set it for the supervisor, or correct gateway.upstreams.{upstream.name}.key.",
        )
    _refuse_what_is_no_key(upstream, key, where)
    return key


def _refuse_what_is_no_key(upstream: Upstream, key: str, where: str) -> None:
    if key.startswith(_LOGINS):
        raise EnvironmentProblem(
            f"{where} holds the login of a subscription, not an API key for upstream {upstream.name!r}",
            hint="A subscription's login belongs to its own program alone and has no price per call. "
            f"Make an API key with the provider and name it in gateway.upstreams.{upstream.name}.key.",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise EnvironmentProblem(
            f"{where} holds more than an API key for upstream {upstream.name!r}: spaces, lines or other signs",
            hint=f"Correct gateway.upstreams.{upstream.name}.key so that it gives the key alone.",
        )


async def _from_file(path: Path) -> str:
    try:
        return await asyncio.to_thread(path.expanduser().read_text)
    except (OSError, UnicodeDecodeError):
        return ""


async def _from_command(command: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return ""
    try:
        async with asyncio.timeout(_COMMAND_LIMIT):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    return output.decode(errors="replace") if process.returncode == 0 else ""


async def _from_keyring(upstream: Upstream, place: str) -> str:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise EnvironmentProblem(
            f"the key of upstream {upstream.name!r} is in the keyring, which swarm cannot read yet",
            hint="Install swarm with its extra: `uv tool install 'swarm[keyring]'`.",
        ) from None
    service, _, user = place.rpartition("/")
    try:
        return await asyncio.to_thread(keyring.get_password, service, user) or ""
    except KeyringError:
        return ""
