"""Verbs of several hosts: worker, hosts; and of who may ask from afar: token add, list, revoke."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.call import Call, user_name
from app.cli.verbs import examples
from app.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import wire
    from app.cli.render import Row

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who will use it; the audit says so.")]


@examples("swarm worker")
def worker(ctx: typer.Context) -> None:
    """Take runs on this host, beside other hosts, until it is stopped.

    It is the supervisor of this host, in the foreground, as systemd wants it. Needs `database` and
    `worker.repository` in config.yaml.
    """
    from app.client.launch import ensure_state

    call = Call.of(ctx)
    ensure_state(call.state)
    call.say(f"The supervisor of {call.state} takes runs of all hosts. Ctrl-C ends it.")
    state = ["--state", os.fspath(call.state)]
    # -P: the working directory may have a package called `app` of its own.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "app.daemon", "--worker", *state])  # noqa: S606


@examples("swarm hosts", "swarm hosts --json")
def hosts(ctx: typer.Context) -> None:
    """List the hosts that share the work, and how much each has to do."""
    call = Call.of(ctx)
    lines = call.ask(lambda swarm: swarm.hosts())
    call.show(lines, lambda: _hosts_text(lines))
    if not lines and not call.json:
        call.say("This host works alone. `worker.repository` in config.yaml is what hosts share.")


def _hosts_text(lines: "Sequence[wire.HostLine]") -> str:
    from app.cli.render import table

    heads = ("HOST", "STATE", "AT WORK", "HEARD", "LABELS", "VERSION", "ID")
    return table(heads, [_host_row(line) for line in lines]) if lines else ""


def _host_row(line: "wire.HostLine") -> "Row":
    from app.cli.render import Cell, age

    colour = {"up": "green", "dead": "red"}.get(line.state, "yellow")
    wrong = f"; its clock is {line.skew:+.0f} s off" if abs(line.skew) > 1 else ""
    return (
        f"{line.name} (here)" if line.here else line.name,
        Cell(line.state, colour),
        f"{line.busy} of {line.capacity}",
        f"{age(line.silent)} ago{wrong}",
        ", ".join(line.labels),
        line.version,
        line.id,
    )


@examples("swarm token add ada-laptop --role approver")
def add(
    ctx: typer.Context,
    name: Name,
    *,
    role: Annotated[
        str,
        typer.Option("--role", metavar="ROLE", help="viewer, operator, approver or admin."),
    ] = "viewer",
) -> None:
    """Let somebody ask over the network.

    The token is printed once, and kept nowhere.
    """
    from app import wire
    from app.domain.role import Role

    known = [str(each) for each in Role]
    if role not in known:
        raise UsageError(f"there is no role {role!r}", hint=f"Use one of {', '.join(known)}.")
    call = Call.of(ctx)
    body = wire.NewToken(name=name, role=Role(role), by=user_name())
    made = call.ask(lambda swarm: swarm.add_token(body))
    call.show(made, lambda: made.token)
    if not call.json:
        call.say(
            f"{name} may ask as {role}. Keep it where only they read it; it is not shown again."
        )


@examples("swarm token list")
def list_(ctx: typer.Context) -> None:
    """List who may ask over the network, and who might once."""
    call = Call.of(ctx)
    lines = call.ask(lambda swarm: swarm.tokens())
    call.show(lines, lambda: _tokens_text(lines))
    if not lines and not call.json:
        call.say("Nobody may. `swarm token add NAME --role viewer` lets somebody look.")


def _tokens_text(lines: "Sequence[wire.TokenLine]") -> str:
    from app.cli.render import age, table

    now = time.time()
    rows = [
        (
            line.name,
            line.role,
            f"{age(now - line.made)} ago",
            line.by,
            "revoked" if line.revoked else "",
        )
        for line in lines
    ]
    return table(("NAME", "ROLE", "MADE", "BY", ""), rows) if rows else ""


@examples("swarm token revoke ada-laptop")
def revoke(ctx: typer.Context, name: Name) -> None:
    """Take a token back: from now on it counts for nothing."""
    from app import wire

    call = Call.of(ctx)
    call.ask(lambda swarm: swarm.revoke_token(name, wire.Act(by=user_name())))
    call.show({"revoked": name}, lambda: f"{name} is revoked")
