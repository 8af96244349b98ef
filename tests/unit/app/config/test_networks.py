"""The shipped sets of hosts."""

import pytest

from app.config.networks import hosts_of, presets
from app.domain.hosts import is_host

FORGES = (
    "github.com",
    "githubusercontent.com",
    "gitlab.com",
    "bitbucket.org",
    "codeberg.org",
    "pastebin.com",
)


@pytest.mark.parametrize("name", presets())
def test_a_preset_holds_plain_hosts(name: str) -> None:
    assert presets()[name]
    assert all(is_host(host) for host in presets()[name])


def test_no_preset_opens_a_place_where_anybody_can_post() -> None:
    named = [host for hosts in presets().values() for host in hosts]
    assert [host for host in named if host.endswith(FORGES)] == []


def test_presets_and_hosts_may_stand_side_by_side() -> None:
    assert hosts_of(["npm", "docs.example.org", "npm"]) == (
        "docs.example.org",
        "registry.npmjs.org",
    )
