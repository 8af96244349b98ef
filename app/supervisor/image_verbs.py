"""What a person can do about a repository's own image: look at it, and approve exactly what was shown."""

from pathlib import Path

import sqlalchemy as sa

from app import wire
from app.domain.errors import NotNow, UsageError
from app.repo import repository
from app.store import audit
from app.store import images as store
from app.supervisor.errors import translated
from app.supervisor.own_image import counts, find
from app.supervisor.services import Services
from app.supervisor.submit import settings_of
from sandboxes import images


async def show(s: Services, repo: str, base: str) -> wire.ImageWish:
    """What the repository, or the user, names for its agents, as it stands at the base."""
    with translated():
        opened = await repository.open_repository(Path(repo))
        settings = (await settings_of(s, opened, base)).settings
        commit = await repository.resolve(opened, base or "HEAD")
        found = await find(opened, commit, settings.image)
        if found is None:
            raise UsageError(
                f"neither {opened.name} nor your config.yaml names an image of its own",
                hint="Agents stand on swarm's: `swarm image build`. How to name one: `image` in the reference.",
            )
        root = str(opened.root)
        return wire.ImageWish(
            repo=root,
            commit=commit,
            image=found,
            digest=found.digest,
            base=found.base,
            approved_by=await s.database.read(store.approver, root, found.digest),
            used=counts(s, settings),
            agent=s.catalog.get(settings.agent).image or images.BASE,
        )


async def approve(s: Services, body: wire.ApproveImage) -> wire.ImageWish:
    """Approve it for this repository, if it still is what the person saw."""
    wish = await show(s, body.repo, body.base)
    if wish.digest != body.digest:
        raise NotNow(
            f"{wish.image.name} is not what was approved: it has changed since",
            hint="Look again: `swarm image approve`.",
        )
    await s.database.write(_approve, wish, body.by, s.clock())
    return await show(s, body.repo, body.base)


def _approve(c: sa.Connection, wish: wire.ImageWish, by: str, at: float) -> None:
    name = wish.image.name
    store.approve(c, repo=wish.repo, digest=wish.digest, name=name, by=by, at=at)
    audit.record(
        c,
        key=f"image/{wish.repo}/{wish.digest}",
        what="image approved",
        actor=by,
        at=at,
        repo=wish.repo,
        image=name,
        digest=wish.digest,
    )
