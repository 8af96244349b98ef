"""What giving a task would mean, before it is given: who would get it, what it may cost and what it may touch."""

import sqlalchemy as sa

from app import wire
from app.config.budget import ceilings
from app.config.load import load
from app.domain.budget import Cap, Room, chain, day_of, rooms
from app.domain.errors import SwarmError
from app.domain.money import Micros
from app.domain.route import Route
from app.repo import repository
from app.repo.oddities import oddities
from app.store import budgets
from app.supervisor.candidates import payer
from app.supervisor.errors import translated
from app.supervisor.services import Services
from app.supervisor.submit import Plan, fresh_run, planned, ready, routes_of, uncommitted


async def preview(s: Services, new: wire.NewTask) -> wire.Preview:
    """Asks everything that taking the task in would ask, and stores nothing; of the base as it is here now."""
    with translated():
        plan = await planned(s, new)
        found, refused = await _routes(s, plan, new)
        task = plan.task
        return wire.Preview(
            routes=found,
            refused=refused,
            base=task.base,
            target=task.target,
            budget=task.budget,
            left=await _left(s, plan, found),
            checks=task.checks,
            hosts=task.network.hosts,
            policy=task.policy,
            sandbox=s.configuration.settings.sandbox.driver,
            notes=await _notes(plan),
        )


async def _routes(s: Services, plan: Plan, new: wire.NewTask) -> tuple[tuple[Route, ...], str]:
    """Who would get it; and why nobody would, in the words of the refusal."""
    found: list[Route] = []
    try:
        if new.goal.strip():
            found = await routes_of(s, plan, new)
        for number, route in enumerate(found, start=1):
            await ready(s, plan.repo, plan.task, fresh_run(s, plan.task, number, route))
    except SwarmError as error:
        return tuple(found), f"{error.message}. {error.hint}".strip()
    return tuple(found), ""


async def _left(s: Services, plan: Plan, found: tuple[Route, ...]) -> tuple[wire.Left, ...]:
    """The budgets in money above the run, of whoever would get it first."""
    account = payer(plan.task, found[0].chosen.agent if found else "")
    above = ceilings(load(user=s.places.config).settings.budget)
    caps = chain(account, above, day_of(s.clock()))[1:]
    return tuple(
        wire.Left(of=room.of, left=Micros(room.left), cap=Micros(room.cap))
        for room in await s.database.read(_rooms, caps)
    )


def _rooms(c: sa.Connection, caps: tuple[Cap, ...]) -> list[Room]:
    return rooms(caps, budgets.tallies(c, budgets.keys(caps)))


async def _notes(plan: Plan) -> tuple[str, ...]:
    commit = await repository.resolve(plan.repo, plan.task.base)
    said = [*await oddities(plan.repo, commit), await uncommitted(plan.repo, plan.task)]
    return tuple(filter(None, said))
