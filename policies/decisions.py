"""What a policy answers: allow, ask a person, or deny, always with the reason and the rule's name."""

from typing import TypeAlias

import msgspec


class Allow(msgspec.Struct, frozen=True, tag="allow"):
    reason: str
    rule: str


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """A person must decide."""

    reason: str
    rule: str


class Deny(msgspec.Struct, frozen=True, tag="deny"):
    reason: str
    rule: str


Decision: TypeAlias = Allow | Ask | Deny
