"""The frozen base of all domain values."""

import contextlib

import msgspec


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Immutable, compared by content, refuses fields it does not know."""


def acquaint() -> None:
    """Have msgspec look at every struct that is loaded, before there are threads.

    It does so when one is first decoded; two threads that do it at the same time crash the process (msgspec 0.22).
    """
    pending = list(msgspec.Struct.__subclasses__())
    while pending:
        known = pending.pop()
        pending += known.__subclasses__()
        with contextlib.suppress(TypeError, NameError):  # It is never decoded.
            msgspec.json.Decoder(known)
