"""Bodies of the local API that are about the screen and the person before it; `app.wire` passes them on."""

from typing import Literal, TypeAlias

import msgspec

from app.domain.base import Value
from app.domain.notices import About

ThemeName: TypeAlias = Literal["dark", "light", "contrast", "green-red", "plain"]
Signs: TypeAlias = Literal["auto", "unicode", "ascii"]
"""What the screen draws its signs and lines with; `auto`: as the locale of the terminal says."""
Ring: TypeAlias = Literal["auto", "bell", "osc9", "osc99", "osc777", "off"]
"""How a terminal is told to make itself heard."""


class Look(Value, frozen=True, kw_only=True):
    """`GET /v1/screen`: what the person's own configuration says about the screen, as it is written now."""

    file: str = ""
    """The person's own configuration file, whether it is there or not."""
    theme: ThemeName = "dark"
    signs: Signs = "auto"
    keys: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """By action or `place.action`."""
    keys_from: dict[str, str] = msgspec.field(default_factory=dict)
    """File and line of each of them."""
    ring: Ring = "auto"
    about: tuple[About, ...] = ()
    """What the terminal rings for."""
    quiet: str = ""
    """`HH:MM-HH:MM` of the local clock; empty for never."""
    fault: str = ""
    """Why the configuration as it is written cannot be meant; the rest is then what was read last."""


class NotifyLine(Value, frozen=True, kw_only=True):
    """One line of `POST /v1/notify/test`: a way to reach the person, and whether it worked."""

    way: str
    ok: bool
    found: str
    fix: str = ""


class SettingLine(Value, frozen=True, kw_only=True):
    """One line of `GET /v1/settings`."""

    key: str
    value: str
    """As JSON; text as it is."""
    origin: str
    """File and line it is from."""
