"""What a run reaches besides models, at the command line."""

from app import wire
from app.domain.errors import NotNow, UsageError
from app.domain.network import size_text
from tests.support.canned import Canned
from tests.support.nouns import RUN, a_network, refused_host
from tests.unit.app.cli.conftest import User

REACH = a_network(RUN, refused_host("evil.example\x1b[2J", times=7))


def test_why_tells_what_was_asked_for_and_what_became_of_it(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs/k3f9x/network", REACH)
    lines = user.types("why", "k3f9x", "--network").out.splitlines()
    assert lines[:3] == [
        "may reach      pypi.org",
        "allowed since  docs.example.org (by ada)",
        "passed         600.0 kB of 1.0 MB",
    ]
    rows = [line.split()[1:] for line in lines[5:]]
    assert rows[0] == ["pypi.org", "allowed", "3", "1.5", "kB", "598.5", "kB"]
    assert rows[1][:3] == ["evil.example␛[2J", "refused", "7"]
    assert lines[6].endswith("it is not allowed for this run")


def test_a_run_that_asked_for_nothing_says_so(user: User, supervisor: Canned) -> None:
    nothing = wire.Network(run=RUN, hosts=(), grants=(), limit=0, left=0, rows=())
    supervisor.on("GET /v1/runs/k3f9x/network", nothing)
    out = user.types("why", "k3f9x", "--network").out
    assert out == "may reach  nothing\n\nIt has asked for nothing.\n"


def test_the_network_as_json_is_the_answer_itself(user: User, supervisor: Canned) -> None:
    supervisor.on("GET /v1/runs/k3f9x/network", REACH)
    assert user.types("why", "k3f9x", "--network", "--json").json["rows"][1]["times"] == 7


def test_allow_names_run_and_host(user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/allow", REACH)
    done = user.types("allow", "k3f9x", "docs.example.org")
    assert done.out == "k3f9x.1 may reach docs.example.org\n"
    assert b'"host":"docs.example.org"' in supervisor.sent("POST /v1/runs/k3f9x/allow")[0]


def test_what_the_supervisor_refuses_is_told(user: User, supervisor: Canned) -> None:
    supervisor.on("POST /v1/runs/k3f9x/allow", NotNow("run k3f9x.1 is merged"))
    assert user.types("allow", "k3f9x", "a.example").code == 1
    supervisor.on("POST /v1/runs/k3f9x/allow", UsageError("the host should be a name"))
    assert user.types("allow", "k3f9x", "10.0.0.1").code == 2


def test_sizes_are_written_for_people() -> None:
    sizes = [size_text(count) for count in (0, 999, 1000, 1_500_000, 1024**3, 10**13)]
    assert sizes == ["0 B", "999 B", "1.0 kB", "1.5 MB", "1.1 GB", "10000.0 GB"]
