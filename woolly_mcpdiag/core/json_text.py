"""The one place that parses JSON from outside: what comes out can be written down again as UTF-8."""

import json
from typing import Any


def parse(text: str) -> Any:  # noqa: ANN401 - it is what the text says
    """Return what the JSON says; half a surrogate pair becomes a question mark.

    Raises ``ValueError`` for what is no JSON, is nested too deep, or holds an integer of thousands of digits.
    """
    try:
        found = json.loads(text)
        return whole(found) if has_halves(text) else found
    except RecursionError:
        message = "nested too deep"
        raise ValueError(message) from None


def has_halves(text: str) -> bool:
    """Say whether JSON may escape half a surrogate pair, which no encoding can write down."""
    return "\\ud" in text or "\\uD" in text


def whole(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a JSON value with a question mark for each half of a surrogate pair."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {whole(key): whole(each) for key, each in value.items()}
    return [whole(each) for each in value] if isinstance(value, list) else value
