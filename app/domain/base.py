"""The frozen base of all domain values."""

import msgspec


class Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Immutable, compared by content, refuses fields it does not know."""
