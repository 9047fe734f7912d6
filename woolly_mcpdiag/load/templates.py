"""The one place for {i}, {worker}, {seed} and {feed.COLUMN}: what a text asks for, and the text with it filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

PLACES = re.compile(r"\{(i|worker|seed|feed\.[^{}]{1,200})\}")
"""Any other brace is text: JSON and code stay as they are."""
_FEED = "feed."


def asked(value: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Return the names of the places in a text, or in all texts of a JSON value."""
    return {found[1] for text in _texts(value) for found in PLACES.finditer(text)}


def columns(value: Any) -> set[str]:  # noqa: ANN401 - JSON
    """Return the columns of the feed that a text or a JSON value asks for."""
    return {name[len(_FEED) :] for name in asked(value) if name.startswith(_FEED)}


def values(i: int, worker: int = 0, seed: int = 0, row: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what fills the places of one call: ``i`` counts the calls from 0, ``row`` is its row of the feed."""
    found = {"i": str(i), "worker": str(worker), "seed": str(seed)}
    return found | {_FEED + name: text for name, text in (row or {}).items()}


def filled(value: Any, given: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value with the places in its texts filled in; a place that nothing is given for stays."""
    if isinstance(value, str):
        return PLACES.sub(lambda place: given.get(place[1], place[0]), value) if "{" in value else value
    if isinstance(value, Mapping):
        return {filled(name, given): filled(one, given) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(one, given) for one in value]
    return value


def filled_body(template: str, given: Mapping[str, str]) -> str:
    """Return a body with its places filled in, so that JSON stays JSON whatever the values hold."""
    if not template.lstrip().startswith(("{", "[", '"')):
        return str(filled(template, given))
    return str(filled(template, {name: json.dumps(text, ensure_ascii=False)[1:-1] for name, text in given.items()}))


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield str(name)
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
