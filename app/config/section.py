"""What all parts of the settings have in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """The frozen base of every part of the settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
