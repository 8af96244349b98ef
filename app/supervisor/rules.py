"""Whether an agent may use a tool: the rules shipped, the user's own, and what a person allowed for the run."""

from typing import get_args

import sqlalchemy as sa

from app.config import policy_file
from app.config.policy_file import Addition
from app.config.presets import approval_rules
from app.domain.errors import ConfigError, NotNow, UsageError
from app.domain.review import Approval
from app.domain.run import Run
from app.domain.task import Task
from app.store import reviews, tasks
from app.supervisor.services import Services
from harnesses.events import PermissionAsked
from policies.approval import decide
from policies.decisions import Ask, Decision
from policies.making import rule_for
from policies.requests import ActionKind, ActionRequest
from policies.rules import BadRule, Rule


async def judged(s: Services, task: Task, run: Run, asked: PermissionAsked) -> Decision:
    """What is done with an agent's question. Rules are read anew each time: a person may have just added one."""
    try:
        own = policy_file.own_rules(s.places.config)
    except ConfigError as error:
        return Ask(reason=f"your own rules cannot be read: {error.message}", rule="default")
    given = await s.database.read(reviews.approvals_of, run.id)
    return decide(request_of(asked), approval_rules(task.approvals), (*own, *_of_the_run(given)))


def verdict(c: sa.Connection, s: Services, asked: Approval) -> Decision:
    """What the rules there are now say of an open question of an agent."""
    task = tasks.task(c, tasks.run(c, asked.run).task)
    try:
        own = policy_file.own_rules(s.places.config)
    except ConfigError as error:
        return Ask(reason=error.message, rule="default")
    theirs = (*own, *_of_the_run(reviews.approvals_of(c, asked.run)))
    return decide(_request(asked), approval_rules(task.approvals), theirs)


def asks(s: Services, task: Task) -> bool:
    """Whether the agent has to ask at all."""
    if task.approvals != "autonomous":
        return True
    try:
        own = policy_file.own_rules(s.places.config)
    except ConfigError:
        return True
    return any(rule.effect != "allow" for rule in own)


def request_of(asked: PermissionAsked) -> ActionRequest:
    detail = asked.command or asked.input
    return ActionRequest(action=asked.tool, tool=asked.name, detail=detail, paths=asked.paths)


def refuse_scope(asked: Approval, *, yes: bool, scope: str) -> None:
    """Raise unless an answer to this question can reach that far."""
    if scope == "once":
        return
    if not yes:
        raise UsageError(
            "only a yes can be given for more than once",
            hint="To deny it for good, write a rule with `effect: deny` into your policy.yaml.",
        )
    _rule(asked, f"{asked.id} was allowed for the whole run")


def addition(s: Services, asked: Approval) -> Addition:
    """The rule that answers such questions for good, as a change of the user's policy file."""
    return policy_file.addition(s.places.config, _rule(asked, "you allowed it for good"))


def write(s: Services, asked: Approval, digest: str) -> Addition:
    """Write the rule that was looked at. Raises when it would be another one now."""
    wanted = addition(s, asked)
    if digest != wanted.digest:
        raise NotNow(
            f"the rule you looked at is not what would be written to {wanted.path} now",
            hint="Look again, and answer again; nothing was answered or written.",
        )
    policy_file.write(wanted)
    return wanted


def _of_the_run(given: tuple[Approval, ...]) -> tuple[Rule, ...]:
    """What a person allowed for as long as the run lasts."""
    said = (each for each in given if each.answer == "yes" and each.scope != "once")
    return tuple(_rule(each, f"{each.by or 'a person'} allowed it in {each.id}") for each in said)


def _rule(asked: Approval, reason: str) -> Rule:
    if asked.action not in get_args(ActionKind):
        raise UsageError(
            f"{asked.id} is a question of swarm's own, not of an agent's tool",
            hint="Answer it without --run and --always.",
        )
    try:
        return rule_for(_request(asked), name=name_of(asked), reason=reason)
    except BadRule as error:
        raise UsageError(
            f"no rule can be made of {asked.id}: {error}",
            hint=f"Allow it this once: `swarm answer {asked.id} yes`. Or write a rule of your own "
            "into policy.yaml in your configuration directory.",
        ) from None


def name_of(asked: Approval) -> str:
    """What the rule is called that is made of a question."""
    return f"from-{asked.id}"


def _request(asked: Approval) -> ActionRequest:
    return ActionRequest(
        action=asked.action,  # type: ignore[arg-type]
        tool=asked.tool,
        detail=asked.detail,
        paths=asked.paths,
    )
