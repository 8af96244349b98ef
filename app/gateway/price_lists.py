"""Price lists: the one that ships, and later ones a person has installed. Nothing here uses the network.

A list is the JSON that `genai-prices` publishes: an array of providers with their models.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from app.domain.errors import UsageError
from app.gateway.settings import Rates

if TYPE_CHECKING:
    from genai_prices.types import Provider

_OWN: Final = "own.json"


class PriceList(msgspec.Struct, frozen=True):
    """Who charges what, and the name that every charge keeps of it."""

    name: str
    providers: "list[Any]"


def shipped() -> PriceList:
    """The list of the installed package."""
    from genai_prices import data_snapshot

    return PriceList(
        f"genai-prices {version('genai-prices')}", data_snapshot.get_snapshot().providers
    )


def newest(directory: Path | None) -> PriceList:
    """The list installed last, else the shipped one."""
    found = sorted(directory.glob("prices *.json")) if directory and directory.is_dir() else []
    return PriceList(found[-1].stem, read(found[-1].read_bytes())) if found else shipped()


def install(directory: Path, text: bytes, now: float) -> PriceList:
    """Keep a list beside the earlier ones, which charges of the past still name."""
    providers = read(text)
    day = time.strftime("%Y-%m-%d.%H%M%S", time.gmtime(now))
    name = f"prices {day} {hashlib.sha256(text).hexdigest()[:8]}"
    directory.mkdir(parents=True, exist_ok=True)
    fresh = directory / f"{name}.new"
    fresh.write_bytes(text)
    fresh.replace(directory / f"{name}.json")
    return PriceList(name, providers)


def own(directory: Path | None) -> dict[str, Rates]:
    """The prices that people have set for single models."""
    file = directory / _OWN if directory else None
    if file is None or not file.exists():
        return {}
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Rates])


def keep_own(directory: Path, prices: Mapping[str, Rates]) -> None:
    """Keep them for the next start."""
    directory.mkdir(parents=True, exist_ok=True)
    fresh = directory / f"{_OWN}.new"
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(prices)))
    fresh.replace(directory / _OWN)


def read(text: bytes) -> "list[Provider]":
    """The providers of a list. Raises `UsageError` that says what is wrong with it."""
    from genai_prices.types import _providers_from_raw

    try:
        raw = json.loads(text)
        providers: list[Provider] = _providers_from_raw(raw) if isinstance(raw, list) else []
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            f"this is no price list: {type(error).__name__}: {error}",
            hint="It is the file prices/new_data/v2/data.json of pydantic/genai-prices.",
        ) from None
    if not any(each.models for each in providers):
        raise UsageError(
            "this is no price list: it names no models",
            hint="It is the file prices/new_data/v2/data.json of pydantic/genai-prices.",
        )
    return providers
