"""One look at a review: what would land, what was said, and what is new since; all of one moment."""

from dataclasses import dataclass

from app.client.client import Swarm
from app.domain.ids import RunId
from app.domain.review import Comment, Review
from app.tui.desk import Desk
from app.tui.model.diff import Diff
from app.tui.model.fates import Followed, earlier_trees, follow, looked_at
from app.wire import RunDetail


@dataclass(slots=True)
class Look:
    """What a review screen shows."""

    detail: RunDetail
    review: Review | None
    data: bytes
    """What would land, as a diff."""
    comments: list[Comment]
    since: dict[str, Diff]
    """By an earlier tree, how what would land differs from it."""
    before: str = ""
    """The tree that was looked at before this one."""

    @property
    def followed(self) -> list[Followed]:
        """The comments, each where its line is now."""
        return follow(self.comments, self.detail.reviews, self.since)

    @property
    def unsent(self) -> list[Comment]:
        return [comment for comment in self.comments if not comment.sent]

    @property
    def news(self) -> Diff | None:
        """What is new since the look before; None when there was none."""
        return self.since.get(self.before)


async def take(desk: Desk, run: RunId) -> Look:
    """Ask until the review and its diff are of the same moment."""
    swarm = desk.swarm
    detail = await swarm.detail(run)
    while True:
        data = await swarm.diff(run, review=True)
        again = await swarm.detail(run)
        if newest(again) == newest(detail):
            break
        detail = again
    review = newest(detail)
    look = Look(detail, review, data, list(detail.comments), {})
    if review is not None and review.result_tree:
        look.before = looked_at(detail.reviews, review, desk.looked.get(run, ()))
        trees = earlier_trees(look.comments, detail.reviews, review) | {look.before}
        for tree in sorted(trees - {""}):
            look.since[tree] = await _since(swarm, run, tree)
        desk.looked.setdefault(run, []).append(review.result_tree)
        _carry_viewed(desk, look, review)
    return look


def newest(detail: RunDetail) -> Review | None:
    """The review a person is asked for now, or the last one there was."""
    asked = [review for review in detail.reviews if review.id == detail.row.review]
    return asked[0] if asked else (detail.reviews[-1] if detail.reviews else None)


async def _since(swarm: Swarm, run: RunId, tree: str) -> Diff:
    diff = Diff(await swarm.diff(run, review=True, since=tree))
    diff.scan()
    return diff


def _carry_viewed(desk: Desk, look: Look, review: Review) -> None:
    """What was viewed and has not changed since stays viewed."""
    if look.news is None:
        return
    ticked = [desk.viewed[each.id] for each in look.detail.reviews if each.id in desk.viewed]
    if ticked:
        desk.viewed[review.id] = ticked[-1] - {file.path for file in look.news.files}
