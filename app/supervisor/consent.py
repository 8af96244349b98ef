"""What a person must have named before a change lands, and what words of a person may not carry."""

import shlex
from collections.abc import Collection, Iterable

from app import wire
from app.config.load import load
from app.domain.errors import NeedsHuman, NotNow, UsageError
from app.domain.policy import ChangePolicy
from app.domain.review import Finding, Review
from app.repo.content import secrets_in
from app.supervisor.services import Services
from policies.decisions import Deny
from policies.merging import may_merge
from policies.requests import CheckFact, MergeRequest


def own_policy(s: Services) -> ChangePolicy:
    """What the user's own file says now; a person who has just allowed something need not submit again."""
    return load(user=s.places.config).settings.policy


def refuse_unapprovable(review: Review, body: wire.Approve, own: ChangePolicy) -> None:
    """Raise unless the approval names what would land, and takes upon itself what only a person can."""
    if body.review != review.id or body.tree != review.result_tree:
        raise NotNow(
            f"what you looked at is not what would land now: run {review.run} has changed since",
            hint=f"Look again: `swarm diff {review.run}`.",
        )
    _refuse_unknown(review, body.secrets)
    _refuse_secrets(review, {*body.secrets, *own.secrets})
    decision = may_merge(_request(review, {*body.secrets, *own.secrets}))
    if isinstance(decision, Deny):
        raise NotNow(
            f"run {review.run} cannot land: {decision.reason}",
            hint=f'Send it back with `swarm changes {review.run} "…"`, or discard it.',
        )
    _refuse_unconfirmed(review, body.confirmed)


def _refuse_unknown(review: Review, named: Iterable[str]) -> None:
    known = {finding.fingerprint for finding in review.findings if finding.fingerprint}
    if unknown := sorted(set(named) - known):
        raise UsageError(
            f"{review.id} holds no secret {unknown[0]}",
            hint=f"`swarm show {review.run}` lists what it holds.",
        )


def _refuse_secrets(review: Review, allowed: Collection[str]) -> None:
    """Secrets that only wait for being named; what nobody can approve comes first, from the merge policy."""
    blocked = _blocked(review.findings, allowed)
    if not blocked or any(not finding.fingerprint for finding in blocked):
        return
    listed = "; ".join(f"{finding.path}: {finding.why}" for finding in blocked[:3])
    more = f"; and {len(blocked) - 3} more" if len(blocked) > 3 else ""
    flags = " ".join(f"--allow-secret {one}" for one in sorted({f.fingerprint for f in blocked}))
    raise NeedsHuman(
        f"run {review.run} would publish secrets: {listed}{more}",
        hint=f'Send it back with `swarm changes {review.run} "…"`. If you are sure that it is none, or may '
        f"be known: swarm approve {review.run} {flags}",
    )


def _refuse_unconfirmed(review: Review, confirmed: Collection[str]) -> None:
    paths = {f.path for f in review.findings if f.severity == "confirm"} - set(confirmed)
    if paths:
        raise NeedsHuman(
            f"these files need a word of their own: {', '.join(sorted(paths))}",
            hint="Confirm each: " + " ".join(f"--confirm {shlex.quote(p)}" for p in sorted(paths)),
        )


def _blocked(findings: Iterable[Finding], allowed: Collection[str]) -> list[Finding]:
    return [f for f in findings if f.severity == "block" and f.fingerprint not in allowed]


def _request(review: Review, allowed: Collection[str]) -> MergeRequest:
    return MergeRequest(
        approved_tree=review.result_tree,
        result_tree=review.result_tree,
        approved_tip=review.tip,
        target_tip=review.tip,
        checks=tuple(CheckFact(check.command, check.passed) for check in review.checks),
        conflicts=review.conflicts,
        blocked=tuple(f.path for f in _blocked(review.findings, allowed)),
    )


def let_through(review: Review, body: wire.Approve, own: ChangePolicy) -> str:
    """Fingerprints of the secrets that land all the same, for the audit; empty when there are none."""
    inside = {f.fingerprint for f in review.findings if f.severity == "block" and f.fingerprint}
    return " ".join(sorted(inside & {*body.secrets, *own.secrets}))


def refuse_secrets_in(text: str, what: str, policy: ChangePolicy) -> None:
    """Raise when words that are kept, and go to a model provider or into a commit, hold a secret."""
    if found := secrets_in(text, what, policy):
        raise UsageError(
            f"{what}: {found[0].why}",
            hint="It would go to the model provider and be kept: take it out. If it is no secret, put "
            f"{found[0].fingerprint} into secrets.allow of your own config.yaml.",
        )
