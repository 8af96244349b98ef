"""Agents in boxes that fetch pages, and users whose repositories have what they need for it."""

from typing import Any

from tests.support.actions import SwarmActions
from tests.support.internet import Internet
from tests.support.scripts import Step, scripted
from tests.support.world import World

PACKAGES, DOCS, OTHER = "packages.example.org", "docs.example.org", "other.example.org"
FETCH = """\
import ssl, sys, time, urllib.request
trusted = ssl.create_default_context(cafile="authority.pem")
for attempt in range(600):
    try:
        print(urllib.request.urlopen(sys.argv[1], context=trusted, timeout=30).read().decode())
        break
    except OSError as error:
        print(error, flush=True)
        if "again" not in sys.argv:
            break
        time.sleep(0.1)
"""


def fetching(*urls: str) -> dict[str, Any]:
    """An agent that fetches these pages and keeps what came of it."""
    steps: list[Step] = [{"run": f"python3 fetch.py {url} >> fetched.txt 2>&1"} for url in urls]
    return scripted(steps)


AGENTS = {
    "fetches": fetching(f"https://{PACKAGES}/simple", f"https://{OTHER}/x", "https://10.0.0.1/"),
    "insists": fetching(f"https://{DOCS}/page again"),
    "looks": scripted([{"run": "env | grep -ci proxy > proxies.txt; true"}]),
}


def user_of(world: World, net: Internet, **settings: object) -> SwarmActions:
    """A user whose repository knows the net's authority."""
    pem = net.authority.cert_pem.bytes()
    return world.user({"fetch.py": FETCH, "authority.pem": pem}, **settings)
