"""The shipped sets of approval rules, by the name that `approvals` gives."""

from importlib.resources import files

from app.config.settings import Approvals
from app.config.yamltext import parse as parse_yaml
from policies.rules import Rule, parse


def approval_rules(name: Approvals) -> tuple[Rule, ...]:
    """The rules of that preset; each rule's name starts with the preset's."""
    text = files("policies").joinpath("presets", f"{name}.yaml").read_bytes()
    return parse(name, parse_yaml(text).data)
