"""Reaches a person who has no screen open: a command on this desktop, a webhook anywhere.

It follows the log like any other reader. How far it told is kept, so that a crash makes no notice disappear.
"""

import asyncio
import json
import logging
import os
import shlex
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from app import wire
from app.config.screen import NotifySettings
from app.config.values import check_url
from app.domain.events import Event
from app.domain.ids import RunId
from app.domain.notices import Notice, due
from app.store import event_log
from app.supervisor import written
from app.supervisor.services import Services

TITLE: Final = "swarm"
REST: Final = 0.5
"""Seconds between two looks at the log."""
TIMEOUT: Final = 10.0
"""Seconds a command or a webhook may take."""
PAUSES: Final = (1.0, 5.0)
"""Seconds before a webhook that did not answer is tried again."""

_log = logging.getLogger(__name__)


async def tell_people(s: Services) -> None:
    """For ever: tell what happens in the ways that were configured when the supervisor started."""
    wishes = s.configuration.settings.notify
    kept = s.places.state / "notified"
    while wishes.command or wishes.webhook:
        try:
            since = await _told_until(s, kept)
            async for item in s.broker.follow(since, rest=REST):
                if isinstance(item, Event) and (notice := _wanted(s, wishes, item)):
                    await _tell(s, wishes, notice, item.at)
                    _keep(kept, item.seq)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            # A full disk or a stopped server is a pause; the log is still there afterwards.
            _log.warning("notices: %s; going on", error)
            await asyncio.sleep(TIMEOUT)
        else:
            return


async def test(s: Services) -> tuple[wire.NotifyLine, ...]:
    """Send a notice in every way that is configured now, whatever the hour."""
    loaded, _fault = await written.now(s)
    wishes = loaded.settings.notify
    sample = Notice(run=RunId("test"), about="question", what="of swarm's notices")
    return await _deliver(wishes, sample, sample.text(), s.clock())


async def _told_until(s: Services, kept: Path) -> int:
    # Empty after a power cut, it says no more than one that is not there.
    if kept.exists() and (told := kept.read_text().strip()).isdecimal():
        return int(told)
    last = await s.database.read_log(event_log.last)
    _keep(kept, last)
    return last


def _keep(kept: Path, seq: int) -> None:
    new = kept.with_suffix(".new")
    new.write_text(str(seq))
    new.replace(kept)


def _wanted(s: Services, wishes: NotifySettings, event: Event) -> Notice | None:
    return due(event, about=wishes.about, quiet=wishes.quiet, now=s.clock())


async def _tell(s: Services, wishes: NotifySettings, notice: Notice, at: float) -> None:
    task, _run = await s.task_and_run(notice.run)
    if s.away(task):
        return  # Its own host tells it.
    for line in await _deliver(wishes, notice, notice.text(task.goal), at):
        if not line.ok:
            _log.warning("notice by %s: %s", line.way, line.found)


async def _deliver(
    wishes: NotifySettings, notice: Notice, text: str, at: float
) -> tuple[wire.NotifyLine, ...]:
    lines = []
    if wishes.command:
        lines.append(await _by_command(wishes.command, text))
    if wishes.webhook:
        body = {"title": TITLE, "text": text, "run": notice.run, "about": notice.about, "at": at}
        lines.append(await _by_webhook(wishes.webhook, json.dumps(body).encode()))
    return tuple(lines)


async def _by_command(command: str, text: str) -> wire.NotifyLine:
    """The text is an argument, never part of a command line; a title before it, so that it is no option."""

    def failed(found: str) -> wire.NotifyLine:
        fix = (
            "Correct `notify.command`, and try it in a shell of yours; it gets a title and a text."
        )
        return wire.NotifyLine(way="command", ok=False, found=found, fix=fix)

    words = shlex.split(command)
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            TITLE,
            text,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        return failed(f"{words[0]} does not start: {error.strerror or error}")
    try:
        async with asyncio.timeout(TIMEOUT):
            _out, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return failed(f"{words[0]} did not end within {TIMEOUT:g} seconds")
    if process.returncode:
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        return failed(f"{words[0]} ended with {process.returncode}: {last[:200]}")
    return wire.NotifyLine(way="command", ok=True, found=f"{words[0]} has shown it")


async def _by_webhook(place: str, body: bytes) -> wire.NotifyLine:
    """Posted once; tried again while nobody answers. What is told of it never holds the address."""

    def failed(found: str) -> wire.NotifyLine:
        fix = "Correct `notify.webhook`; what it names must take a POST of JSON."
        return wire.NotifyLine(way="webhook", ok=False, found=found, fix=fix)

    try:
        address = check_url(await asyncio.to_thread(_address, place))
    except (OSError, ValueError):
        return failed(f"{place.partition('://')[0]} gives no address")
    for pause in (*PAUSES, None):
        try:
            status = await asyncio.to_thread(_post, address, body)
        except OSError as error:
            if pause is None:
                return failed(f"nobody answers there: {getattr(error, 'reason', error)}")
            await asyncio.sleep(pause)
            continue
        break
    if status >= 300:
        return failed(f"it answered {status}")
    return wire.NotifyLine(way="webhook", ok=True, found=f"it answered {status}")


def _address(place: str) -> str:
    kind, _, where = place.partition(":")
    match kind:
        case "env":
            return os.environ.get(where, "").strip()
        case "file":
            return Path(where).expanduser().read_text(encoding="utf-8").strip()
        case _:
            return place


class _Stay(urllib.request.HTTPRedirectHandler):
    """Notices go where the person said, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(address: str, body: bytes) -> int:
    """The status of the answer. Raises `OSError` when there is none."""
    headers = {"Content-Type": "application/json", "User-Agent": "swarm"}
    request = urllib.request.Request(address, body, headers)  # noqa: S310 - `check_url` has seen it
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=TIMEOUT) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
