"""The written settings of the screen, and of who is told what when nobody looks at it."""

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from app.config.section import Section
from app.config.values import as_list, check_url
from app.domain.notices import About
from app.wire_screen import Ring, Signs, ThemeName

_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
_PLACE: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")


def check_hours(value: object) -> str:
    """`22:00-07:00`, without spaces; empty for never."""
    text = value.replace(" ", "") if isinstance(value, str) else value
    if text == "" or (isinstance(text, str) and _HOURS.fullmatch(text)):
        return str(text)
    raise ValueError("should be two times of day such as 22:00-07:00")


def check_command(value: object) -> str:
    """Words of a command, as in a shell."""
    try:
        if isinstance(value, str):
            shlex.split(value)
            return value.strip()
    except ValueError:
        pass
    raise ValueError("should be a command such as `notify-send --app-name=swarm`")


def check_webhook(value: object) -> str:
    """An address, or where it is; the message does not repeat what was written, which can be a secret."""
    if value == "" or (isinstance(value, str) and _PLACE.fullmatch(value)):
        return str(value)
    try:
        return check_url(value)
    except ValueError:
        raise ValueError(
            "should be an address such as https://example.com/hook, or where it stands: env:NAME, file:PATH"
        ) from None


class NotifySettings(Section):
    """Who is told what when nobody looks at the screen."""

    about: tuple[About, ...] = ("question", "review", "parked", "failed", "warning")
    """Any of `question`, `review`, `parked`, `failed`, `merged` and `warning`: what you are told of."""
    terminal: Ring = "auto"
    """While the screen is open: `bell`, `osc9`, `osc99`, `osc777`, `off`, or `auto`: as your terminal can."""
    command: Annotated[str, BeforeValidator(check_command)] = ""
    """Command that shows a notice on your desktop, such as `notify-send`; it gets a title and a line of text."""
    webhook: Annotated[str, BeforeValidator(check_webhook)] = ""
    """Address that notices are posted to as JSON, or where it stands: `env:NAME`, `file:PATH`."""
    quiet: Annotated[str, BeforeValidator(check_hours)] = ""
    """Hours of your clock in which nothing rings, for example `22:00-07:00`."""


class ScreenSettings(Section):
    """How the screen looks, and which keys it hears."""

    theme: ThemeName = "dark"
    """`dark`, `light`, `contrast` (all safe for every kind of colour blindness), `green-red`, or `plain`."""
    signs: Signs = "auto"
    """`unicode`, `ascii` for terminals and fonts that know no other signs, or `auto`: as your locale says."""
    keys: Mapping[str, Annotated[tuple[str, ...], BeforeValidator(as_list)]] = Field(
        default_factory=dict
    )
    """Keys of your own, by action or by `place.action` as the page of keys lists them: `review.approve: m`."""
