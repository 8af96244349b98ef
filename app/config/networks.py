"""What `network.allow` may hold: full names of hosts, and names of the shipped sets of them."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from app.config.yamltext import parse
from app.domain.hosts import check_host


@cache
def presets() -> dict[str, tuple[str, ...]]:
    """The shipped sets by name."""
    data = parse(files("app.config").joinpath("networks.yaml").read_bytes()).data
    return {name: tuple(check_host(host) for host in hosts) for name, hosts in data.items()}


def check_network(value: object) -> str:
    """One entry: a host has a dot, a preset has none. Raises `ValueError`."""
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - the reader of settings turns only these into words
            "should be the name of a host, such as pypi.org, or of a preset, such as pypi"
        )
    if value in presets():
        return value
    if "." in value or "/" in value or ":" in value:
        return check_host(value)
    near = get_close_matches(value.lower(), presets(), n=1, cutoff=0.5)
    known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(presets()))}"
    raise ValueError(f"{value[:80]!r} is neither the full name of a host nor a preset; {known}")


def hosts_of(entries: Iterable[str]) -> tuple[str, ...]:
    """All hosts that the entries stand for, once each and in order. Raises `ValueError`."""
    found: set[str] = set()
    for entry in entries:
        found.update(presets().get(check_network(entry), (entry,)))
    return tuple(sorted(found))
