"""Where the user's API keys come from. A key is never logged, never told, and kept for a minute at most."""

import asyncio
import base64
import json
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
_LOGIN_ISSUERS: Final = ("https://auth.openai.com", "https://claude.ai", "https://auth0.openai.com")
"""Who issues the signed tokens of such logins; those of clouds have the same form and are welcome."""


def redact(text: str, key: str) -> str:
    """The text without the key."""
    return text.replace(key, REDACTED) if key else text


class Censor:
    """Takes a key out of bytes that come in pieces, and changes nothing else, not even their number.

    Held back is only what may be the beginning of the key, so a reply without it passes as it comes.
    """

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._stars = b"*" * len(self._key)
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What may be passed on now."""
        if not self._key:
            return data
        text = (self._held + data).replace(self._key, self._stars)
        kept = self._beginning(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def end(self) -> bytes:
        """What was held back and turned out to be no key."""
        rest, self._held = self._held, b""
        return rest

    def _beginning(self, text: bytes) -> int:
        """How many bytes at the end are a beginning of the key."""
        at = text.find(self._key[0], max(0, len(text) - len(self._key) + 1))
        while at >= 0 and not self._key.startswith(text[at:]):
            at = text.find(self._key[0], at + 1)
        return len(text) - at if at >= 0 else 0


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
    if key.startswith(_LOGINS) or _issuer(key) in _LOGIN_ISSUERS:
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


def _issuer(token: str) -> str:
    """Who says to have issued a signed token (RFC 7519); empty for whatever is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return ""
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer.rstrip("/") if isinstance(issuer, str) else ""


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
