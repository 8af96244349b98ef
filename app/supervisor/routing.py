"""What a person can ask about choices: why this one, what names stand for, how it turned out."""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterable

from app import wire
from app.config.load import load
from app.config.routing import retirements
from app.domain.bundle import Part
from app.domain.errors import NotFound
from app.domain.ids import RunId
from app.domain.money import Micros
from app.domain.route import ModelLine, Outcome, Record, Report, Route, Shadow
from app.store import bundles, routes
from app.supervisor import candidates
from app.supervisor.preview import preview
from app.supervisor.services import Services

_LOOKED_AT = 1000
"""Newest routes that a report is about."""


class Routing:
    """Questions about routes behind the local API."""

    def __init__(self, s: Services) -> None:
        self._s = s

    async def explain(self, run: RunId) -> Route:
        found = await self._s.database.read(routes.route, run)
        if found is None:
            raise NotFound(
                f"nobody knows why {run} got its agent: it is older than routes are",
                hint=f"`swarm why {run}` says what else is known.",
            )
        return found

    async def preview(self, new: wire.NewTask) -> wire.Preview:
        """What giving that task would mean; nothing is stored."""
        return await preview(self._s, new)

    async def models(self) -> tuple[ModelLine, ...]:
        """What every name stands for, in the order in which they are tried."""
        settings = load(user=self._s.places.config).settings
        today = dt.datetime.fromtimestamp(self._s.clock(), dt.UTC).date()
        ends = retirements(settings.retire)
        lines = []
        for name in settings.models:
            try:
                options, _notes = candidates.look_up(self._s, settings, (name,))
            except NotFound as error:
                lines.append(
                    ModelLine(name=name, target="", model="", usable=False, why=error.message)
                )
                continue
            for option in options:
                why = option.dropped or await candidates.lacks(self._s, option)
                end = ends.get(option.model)
                lines.append(
                    ModelLine(
                        name=name,
                        target=option.target,
                        model=option.model,
                        usable=not why,
                        why=why,
                        ends=str(end.ends) if end and end.ends > today else "",
                    )
                )
        return tuple(lines)

    async def report(self) -> Report:
        """What came of the choices, and where history would have chosen otherwise."""
        await self._s.database.write(routes.collect)
        known = await self._s.database.read(routes.outcomes)
        newest = await self._s.database.read(routes.newest, _LOOKED_AT)
        counts = Counter(route.target for route in newest)
        return Report(
            records=tuple(
                _record(target, [each for each in known if each.target == target], counts[target])
                for target in sorted({*counts, *(each.target for each in known)})
            ),
            shadows=tuple(
                Shadow(run=route.run, target=route.target, shadow=route.shadow)
                for route in newest
                if route.shadow not in ("", route.target)
            ),
            asked=sum(1 for route in newest if route.shadow),
        )

    async def bundle(self, run: RunId) -> tuple[Part, ...]:
        """What the run was given of the ones before it."""
        return await self._s.database.read(bundles.parts_of, run)


def _record(target: str, outcomes: Iterable[Outcome], runs: int) -> Record:
    known = list(outcomes)
    worth = Counter(each.worth for each in known)
    micros = sum(each.micros for each in known)
    good = worth["accepted"] + worth["reworked"]
    return Record(
        target=target,
        runs=max(runs, len(known)),
        accepted=worth["accepted"],
        reworked=worth["reworked"],
        rejected=worth["rejected"],
        micros=Micros(micros),
        per_accepted=Micros(round(micros / good)) if good else None,
        seconds=statistics.median(each.seconds for each in known) if known else None,
    )
