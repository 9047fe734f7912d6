"""The one place for known findings: failures that a project has accepted for now, and entries that no longer hold.

The file is TOML: ``[[known]]`` tables with ``criterion``, ``cause`` and ``fingerprint`` (at least one of the three),
``reason``, and optionally ``at_most`` failures.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from woolly_mcpdiag.core.causes import catalogue, nearest
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.verdicts import Judgement, Verdict, overall
from woolly_mcpdiag.gate.profile import CRITERIA
from woolly_mcpdiag.gate.wording import did_you_mean

_KEYS = ("criterion", "cause", "fingerprint", "reason", "at_most")
STALE = "baseline"
"""Name of the judgement that tells of stale entries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One known finding; an empty field matches anything."""

    reason: str
    criterion: str = ""
    cause: str = ""
    fingerprint: str = ""
    at_most: int | None = None
    """More failures than that are not known."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.criterion, self.cause, self.fingerprint)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Judgements in the light of what is known."""

    judgements: tuple[Judgement, ...]
    """Known failures have level ``warn`` and say so; a stale baseline is a failure of its own, the last one."""
    known: tuple[Known, ...] = ()
    """Entries that explained a failure."""
    stale: tuple[Known, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of what counts; where only known failures are left to count, a pass."""
        if self.known and all(judgement.level == "warn" for judgement in self.judgements):
            return "pass"
        return overall(self.judgements)


def load_baseline(path: str | Path) -> tuple[Known, ...]:
    """Read a file of known findings.

    Raises ``InputError`` where it cannot be read or is no TOML, ``UsageError`` for an entry that cannot mean anything.
    """
    try:
        return parse_baseline(tomllib.loads(Path(path).read_bytes().decode("utf-8")), str(path))
    except OSError as error:
        message = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        raise InputError(message, "name a file of known findings with --baseline, or leave it out") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: is no TOML: {error}"
        raise InputError(message, "correct that line") from error


def parse_baseline(row: Mapping[str, Any], name: str = "baseline") -> tuple[Known, ...]:
    """Return the entries of a parsed TOML document; see ``load_baseline``."""
    for key in row:
        if key != "known":
            message = f"{name}: there is no key {key}"
            raise UsageError(message, "write entries as [[known]]")
    entries = row.get("known", [])
    if not isinstance(entries, list):
        message = f"{name}: known is no list of tables"
        raise UsageError(message, "write [[known]] with two brackets")
    return tuple(_entry(f"{name}: entry {number}", each) for number, each in enumerate(entries, 1))


def _entry(where: str, row: object) -> Known:
    if not isinstance(row, Mapping):
        message = f"{where}: {str(row)[:80]!r} is no table"
        raise UsageError(message, "write [[known]] with two brackets")
    for key, value in row.items():
        if key not in _KEYS:
            message = f"{where}: there is no key {key}"
            raise UsageError(message, did_you_mean(key, _KEYS, "keys"))
        if key == "at_most" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            message = f"{where}: at_most is {value!r}, no whole number from 1"
            raise UsageError(message)
        if key != "at_most" and not isinstance(value, str):
            message = f"{where}: {key} is {value!r}, no text"
            raise UsageError(message, "write it in quotes")
    found = Known(**{"reason": "", **row})
    _check(where, found)
    return found


def _check(where: str, found: Known) -> None:
    if not str(found):
        message = f"{where}: it names nothing"
        raise UsageError(message, "give it a criterion, a cause or a fingerprint")
    if not found.reason.strip():
        message = f"{where}: it has no reason"
        raise UsageError(message, 'say why it is accepted: reason = "…"')
    if found.criterion and found.criterion not in CRITERIA:
        message = f"{where}: there is no criterion {found.criterion}"
        raise UsageError(message, did_you_mean(found.criterion, CRITERIA, "criteria"))
    if found.cause and found.cause not in catalogue():
        near = nearest(found.cause)
        message = f"{where}: there is no cause {found.cause}"
        raise UsageError(message, f"did you mean {near[0]}?" if near else "list them: mcpdiag explain")


def apply(
    known: Iterable[Known],
    judgements: Sequence[Judgement],
    *,
    fingerprints: Mapping[str, Iterable[str]] | None = None,
) -> Applied:
    """Return the judgements with known failures set apart.

    A failure is known where an entry names its criterion alone, or where entries name all of its causes, or all of its
    fingerprints (``fingerprints`` has them by criterion). An entry is stale where what it could explain was judged and
    it explained nothing; of what was inconclusive nothing can be told.
    """
    entries = tuple(known)
    prints = {name: frozenset(each) for name, each in (fingerprints or {}).items()}
    used: list[Known] = []
    found = []
    for judgement in judgements:
        mine = [each for each in entries if each.criterion in {"", judgement.name}]
        explains = _explaining(mine, judgement, prints.get(judgement.name, frozenset()))
        used += explains
        found.append(_set_apart(judgement, explains) if explains else judgement)
        # Seen, though not enough to excuse the failure: such an entry is not stale.
        used += [each for each in mine if _is_seen(each, judgement, prints.get(judgement.name, frozenset()))]
    stale = tuple(each for each in entries if each not in used and _could_be_told(each, judgements))
    if stale:
        found.append(_stale(stale))
    excused = tuple(each for each in entries if each in used and each not in stale)
    return Applied(judgements=tuple(found), known=excused, stale=stale)


def _explaining(mine: list[Known], judgement: Judgement, prints: frozenset[str]) -> list[Known]:
    if judgement.verdict != "fail":
        return []
    mine = [each for each in mine if each.at_most is None or judgement.failures <= each.at_most]
    whole = [each for each in mine if each.criterion and not each.cause and not each.fingerprint]
    if whole:
        return whole
    by_cause = [each for each in mine if each.cause in judgement.causes]
    if judgement.causes and {each.cause for each in by_cause} >= set(judgement.causes):
        return by_cause
    by_print = [each for each in mine if each.fingerprint and each.fingerprint in prints]
    return by_print if prints and {each.fingerprint for each in by_print} >= prints else []


def _is_seen(entry: Known, judgement: Judgement, prints: frozenset[str]) -> bool:
    if judgement.verdict != "fail":
        return False
    if entry.cause or entry.fingerprint:
        return entry.cause in judgement.causes or entry.fingerprint in prints
    return True


def _set_apart(judgement: Judgement, explains: list[Known]) -> Judgement:
    reasons = "; ".join(dict.fromkeys(each.reason for each in explains))
    return replace(judgement, level="warn", sentence=f"known ({reasons}): {judgement.sentence}")


def _could_be_told(entry: Known, judgements: Sequence[Judgement]) -> bool:
    mine = [each for each in judgements if entry.criterion in {"", each.name}]
    return bool(mine) and all(each.verdict != "inconclusive" for each in mine)


def _stale(stale: tuple[Known, ...]) -> Judgement:
    names = ", ".join(str(each) for each in stale)
    return Judgement(
        name=STALE,
        verdict="fail",
        sentence=f"{len(stale)} known finding{'s' if len(stale) > 1 else ''} no longer seen: {names}",
        observed=f"{len(stale)} stale",
        limit="none",
        failures=len(stale),
        details=tuple(f"{each}: {each.reason}" for each in stale),
        next_step="remove these entries from the baseline",
    )
