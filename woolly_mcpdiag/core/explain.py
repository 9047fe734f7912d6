"""The one place that ranks causes for a status and a text somebody found in a log."""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from woolly_mcpdiag.core.bodies import BODIES, Body, by_size, likeness
from woolly_mcpdiag.core.causes import Cause, catalogue

_NEXT_CAUSE = 0.93
"""A body's second cause counts this much of its first one, the third of the second, and so on."""
_STATUS = 0.35
"""What the most typical status alone is worth."""
_NEXT_STATUS = 0.8
_OTHER_STATUS = 0.4
"""What remains of a text's worth where the cause is not known to show under the status given."""
_PER_BODY = 0.02
"""What each known body of that status adds: a cause with many ways to show is met more often."""
_SHORTEST = 4
"""Characters below which a text is part of too many others to say anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A cause with how well it fits."""

    cause: str
    """Name in the catalogue."""
    score: float
    """0 to 1; a measure of fit among causes, not a probability."""
    reasons: tuple[str, ...]
    """What fits, strongest first."""


class _Sign(NamedTuple):
    worth: float
    reason: str
    kind: str
    """Only the best sign of a kind counts."""


def rank(status: int | None, text: str) -> list[Ranked]:
    """Return the causes that fit a status, a text or both, best first; empty where nothing fits.

    The text is a body, an exception or a log line; a bare number beside a status is the size of the body in bytes.
    Known bodies weigh most, texts of exceptions and log lines next, the status alone least.
    """
    signs: dict[str, list[_Sign]] = defaultdict(list)
    _add_bodies(signs, status, text.strip())
    for cause in catalogue().values():
        _add_texts(signs, cause, status, text)
        _add_status(signs, cause, status)
    order = {name: place for place, name in enumerate(catalogue())}
    return sorted((_ranked(name, found) for name, found in signs.items()), key=lambda r: (-r.score, order[r.cause]))


def _add_bodies(signs: dict[str, list[_Sign]], status: int | None, text: str) -> None:
    alike: dict[str, float] = {}
    groups: dict[str, list[Body]] = defaultdict(list)
    if status is not None and text.isdecimal() and text.isascii():
        for body in by_size(status, int(text)):
            groups[f"{text} bytes is the size of"].append(body)
        alike = dict.fromkeys(groups, 0.97)
    else:
        for value, body in likeness(status, text):
            how = "the text is" if value == 1 else "the text resembles"
            groups[f'{how} the {body.status} body "{body.text}" of'].append(body)
            alike[f'{how} the {body.status} body "{body.text}" of'] = value
    for reason, bodies in groups.items():
        names = dict.fromkeys(name for body in bodies for name in body.causes)
        told = f"{reason} {' or '.join(_told(body, reason) for body in bodies)}"
        for place, name in enumerate(names):
            signs[name].append(_Sign(0.95 * alike[reason] ** 2 * _NEXT_CAUSE**place, told, "body"))


def _told(body: Body, reason: str) -> str:
    return body.server if body.text in reason else f'"{body.text}" ({body.server})'


def _add_texts(signs: dict[str, list[_Sign]], cause: Cause, status: int | None, text: str) -> None:
    wanted = _plain(text)
    if len(wanted) < _SHORTEST:
        return
    best, known = max(((_fit(wanted, _plain(known)), known) for known in cause.bodies), default=(0.0, ""))
    if best:
        suits = status is None or not cause.statuses or status in cause.statuses
        signs[cause.name].append(_Sign(best if suits else best * _OTHER_STATUS, f'it goes with "{known}"', "text"))


def _fit(wanted: str, known: str) -> float:
    if not known:
        return 0.0
    if f" {known} " in f" {wanted} ":
        return min(0.75, 0.45 + 0.02 * len(known))
    if f" {wanted} " in f" {known} ":
        return 0.6 * len(wanted) / len(known)
    return 0.0


def _add_status(signs: dict[str, list[_Sign]], cause: Cause, status: int | None) -> None:
    if status in cause.statuses:
        known = sum(1 for body in BODIES if body.status == status and cause.name in body.causes)
        worth = _STATUS * _NEXT_STATUS ** cause.statuses.index(status) + _PER_BODY * min(known, 4)
        signs[cause.name].append(_Sign(worth, f"it shows as {status}", "status"))


def _ranked(name: str, signs: list[_Sign]) -> Ranked:
    best: dict[str, _Sign] = {}
    for sign in sorted(signs, reverse=True):
        best.setdefault(sign.kind, sign)
    doubt = 1.0
    for sign in best.values():
        doubt *= 1 - sign.worth
    told = [sign.reason for sign in best.values() if sign.kind != "text" or "body" not in best]
    return Ranked(cause=name, score=round(1 - doubt, 3), reasons=tuple(told))


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()
