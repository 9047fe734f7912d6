"""Application lines that tell of agents: started, done, failed, with their type, session key and duration."""

import re

STARTED = re.compile(
    r"\b(?:[Ee]xecuting|[Rr]unning|[Ss]tarting) (?P<agent>[\w-]+) agent\b(?:.*?\(session: (?P<key>[\w.:-]+)\))?"
    r"|^(?P<name>agent[-_]?\w+) start(?:ing|ed)\b"
)
DONE = re.compile(
    r"[Aa]gent execution successful for (?P<agent>[\w-]+)(?: \((?P<key>[\w.:-]+)\))?|^(?P<name>agent[-_]?\w+) (?:done|finished|succeeded)\b"
)
FAILED = re.compile(
    r"[Aa]gent execution failed for (?P<agent>[\w-]+)(?: \((?P<key>[\w.:-]+)\))?|^(?P<name>agent[-_]?\w+) .*\bfailed\b|^(?P<other>agent[-_]?\w+)[: ]"
)
KEY = re.compile(r"\b(?:session|key)[:= ]+(?P<key>[A-Za-z][\w-]*_[0-9a-f]{6,})\b")
DURATION = re.compile(r"\b(?:after|in|took) (?P<value>\d{1,9}(?:\.\d{1,9})?) ?(?P<unit>ms|s|seconds|sec)\b")
PHASE = re.compile(r"\bfailed in (?P<phase>\w+)\b")
LITERAL = "gent"


def duration_of(text: str) -> float | None:
    """Return the duration that a line names, in seconds, or ``None``."""
    found = DURATION.search(text) if "after " in text or "in " in text or "took " in text else None
    if not found:
        return None
    return float(found["value"]) / (1000 if found["unit"] == "ms" else 1)


def key_of(text: str) -> str:
    """Return the session key that a line names, "" where it names none."""
    found = KEY.search(text) if "session" in text or "key" in text else None
    return found["key"] if found else ""


def phase_of(text: str) -> str:
    """Return the phase in which a line says that something failed, "" where it says none."""
    found = PHASE.search(text) if "failed in " in text else None
    return found["phase"] if found else ""


def type_of(key: str) -> str:
    """Return the agent type in a key such as ``simplifier_edcec7aa``, "" where it has none."""
    return key.rpartition("_")[0]
