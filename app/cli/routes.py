"""Verbs about who does what: route explain, route report, models, compare, bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.arguments import Id
from app.cli.call import Call
from app.cli.verbs import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app import wire
    from app.cli.render import Row
    from app.client.client import Swarm
    from app.domain.bundle import Part
    from app.domain.route import ModelLine, Option, Report, Route


@examples("swarm route explain k3f9x", "swarm route explain k3f9x.2 --json")
def explain(ctx: typer.Context, run: Id) -> None:
    """Say why an agent got a run: what was asked, who could have, and who was left out, why."""
    call = Call.of(ctx)
    found = call.ask(lambda swarm: swarm.route(run))
    call.show(found, lambda: explained(found))


def explained(route: "Route") -> str:
    """The whole choice on a screen."""
    from app.cli.render import Cell, table
    from app.domain.safe import clean_line

    rows: list[Row] = [
        (
            option.target,
            Cell("no", "red") if option.dropped else Cell("yes", "green"),
            option.dropped or _evidence(option),
        )
        for option in route.options
    ]
    facts = [
        ("asked", _asked(route)),
        ("task", ", ".join((route.kind, *(f"names {path}" for path in route.paths)))),
        ("why", route.why),
        ("history", _history(route)),
        *(("note", note) for note in route.notes),
    ]
    lines = [f"{route.run} went to {route.target}"]
    lines += [f"  {name:<8} {clean_line(text)}" for name, text in facts if text]
    return "\n".join([*lines, "", table(("CANDIDATE", "CAN", ""), rows)])


def _asked(route: "Route") -> str:
    names = ", ".join(route.names)
    match route.asked:
        case "named":
            return f"you named {names}"
        case "rule":
            return f"{route.rule} says {names}"
        case "default":
            return f"your configuration says {names}"
        case "handed on":
            return f"handed on by {route.before}: {names}"
        case "again":
            return f"tried again after {route.before}: {names}"
        case "race":
            return f"you named {names} in a race"


def _history(route: "Route") -> str:
    if not route.shadow:
        return "too little to say anything" if len(route.options) > 1 else ""
    if route.shadow == route.target:
        return "agrees"
    return f"would have chosen {route.shadow}"


def _evidence(option: "Option") -> str:
    from app.domain.money import dollars

    if not option.outcomes:
        return ""
    count = f"{option.outcomes} outcome" + ("s" if option.outcomes > 1 else "")
    known = f"{count}: {option.accepted:.1f} accepted, {option.rejected:.1f} not"
    drawn = "" if option.drawn is None else f"; drawn {dollars(option.drawn)} an accepted change"
    return f"{known}; {dollars(option.micros)} a run{drawn}"


@examples("swarm route report", "swarm route report --json")
def report(ctx: typer.Context) -> None:
    """Say how choices turned out: cost and time of accepted changes, and what history would have chosen."""
    call = Call.of(ctx)
    found = call.ask(lambda swarm: swarm.routes())
    call.show(found, lambda: _report_text(found))
    if not found.records and not call.json:
        call.say("No run has been routed yet.")


def _report_text(found: "Report") -> str:
    from app.cli.render import age, table
    from app.domain.money import dollars

    heads = ("WHO", "RUNS", "ACCEPTED", "REWORKED", "REJECTED", "COST", "PER ACCEPTED", "TIME")
    rows: list[Row] = [
        (
            line.target,
            str(line.runs),
            str(line.accepted),
            str(line.reworked),
            str(line.rejected),
            dollars(line.micros),
            "-" if line.per_accepted is None else dollars(line.per_accepted),
            "-" if line.seconds is None else age(line.seconds),
        )
        for line in found.records
    ]
    text = table(heads, rows, right=frozenset(range(1, 8)))
    if not found.asked:
        return text
    differ = len(found.shadows)
    lines = [f"History had an opinion {found.asked} times, and another one {differ} times."]
    lines += [f"  {each.run}: {each.target}; {each.shadow} instead" for each in found.shadows[:10]]
    return "\n".join([text, "", *lines])


@examples("swarm models", "swarm models --json")
def models(ctx: typer.Context) -> None:
    """List names of models, and what each stands for."""
    call = Call.of(ctx)
    lines = call.ask(lambda swarm: swarm.models())
    call.show(lines, lambda: _models_text(lines))


def _models_text(lines: "Sequence[ModelLine]") -> str:
    from app.cli.render import Cell, table

    rows: list[Row] = [
        (
            line.name,
            line.target or "?",
            Cell("yes", "green") if line.usable else Cell("no", "red"),
            line.model,
            line.ends,
            line.why,
        )
        for line in lines
    ]
    return table(("NAME", "AGENT", "READY", "MODEL", "ENDS", ""), rows)


@examples("swarm compare k3f9x")
def compare(ctx: typer.Context, run: Id) -> None:
    """Put all runs of a task beside each other.

    With state, cost, time, checks and change of each.
    """
    call = Call.of(ctx)

    async def fetch(swarm: "Swarm") -> "list[wire.RunDetail]":
        detail = await swarm.detail(run)
        return [await swarm.detail(each.id) for each in detail.runs]

    found = call.ask(fetch)
    call.show(found, lambda: _compared(found))


def _compared(found: "Sequence[wire.RunDetail]") -> str:
    from app.cli.render import age, changes, state_cell, table
    from app.domain.money import dollars

    heads = ("RUN", "STATE", "AGENT", "MODEL", "COST", "TIME", "CHECKS", "CHANGE", "WHY")
    rows: list[Row] = []
    for detail in found:
        run, checks = detail.row.run, detail.row.checks
        passed = sum(check.passed for check in checks)
        seen = run.ended or detail.row.activity_at or run.created
        rows.append(
            (
                run.id,
                state_cell(run.state),
                run.agent,
                run.model,
                dollars(run.spent),
                age(max(0.0, seen - (run.started or run.created))),
                f"{passed} of {len(checks)}" if checks else "-",
                changes(run.insertions, run.deletions),
                run.reason,
            )
        )
    return table(heads, rows, right=frozenset({4, 5}))


@examples("swarm bundle k3f9x.2", "swarm bundle k3f9x.2 --out handed")
def bundle(
    ctx: typer.Context,
    run: Id,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write its files there.")
    ] = None,
) -> None:
    """Show what a run was given of the ones before it.

    Brief, what was tried, failing output, the review's comments, the diff.
    """
    from app.domain.bundle import TITLES

    call = Call.of(ctx)
    parts = call.ask(lambda swarm: swarm.bundle(run))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for part in parts:
            (out / part.name).write_bytes(part.body)
    call.show(
        {part.name: part.body.decode(errors="replace") for part in parts},
        lambda: "\n\n".join(_part(part, TITLES.get(part.name, "The task")) for part in parts),
    )
    if not parts and not call.json:
        call.say("It was given nothing: it is the first of its task, or began afresh.")


def _part(part: "Part", title: str) -> str:
    from app.cli.render import painted
    from app.domain.safe import clean

    return f"{painted(f'{title} ({part.name})', 'bold')}\n{clean(part.body.decode(errors='replace').strip())}"
