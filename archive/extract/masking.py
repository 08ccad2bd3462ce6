"""Masks whole values and documents for faces that show them; see `archive.extract.secrets` for what is secret."""

from __future__ import annotations

from archive.extract.pointer import parse_pointer
from archive.extract.secrets import MASK, SecretRules
from archive.model.base import Json


def mask_value(value: Json, rules: SecretRules) -> Json:
    """Returns a copy of a value in which everything is masked that stands under a secret name or looks secret itself.

    Names stay, and so do true, false, null and empty texts under secret names: they tell that nothing is there.

    Raises:
        RecursionError: It is nested too deeply.
    """
    if isinstance(value, dict):
        named = "value" in value and rules.is_named_secret(value)
        return {
            name: _hidden(inner) if rules.is_secret_name(name) or (named and name == "value") else mask_value(inner, rules)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [mask_value(inner, rules) for inner in value]
    return rules.mask(value) if isinstance(value, str) else value


def mask_at(pointer: str, value: Json, rules: SecretRules) -> Json:
    """Returns a value masked that stands at a pointer, whose own steps may be what makes it secret."""
    if any(map(rules.is_secret_name, parse_pointer(pointer))):
        return _hidden(value)
    return mask_value(value, rules)


def _hidden(value: Json) -> Json:
    return value if value is None or value is True or value is False or value == "" else MASK
