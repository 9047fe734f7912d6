"""The one shape of a cause and the way to look one up; the texts live in ``core.catalogue``."""

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Literal

Severity = Literal["error", "warning", "info"]
Confidence = Literal["certain", "likely", "possible"]
FAMILIES = ("net", "transport", "session", "client", "server", "proxy", "auth", "log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A known reason for failure. Names are never renamed or reused after release."""

    name: str
    """Dotted slug, family first: ``session.harvested-from-400``."""
    title: str
    """One line a reader understands without the rest."""
    severity: Severity
    benign: bool = False
    """True where nothing fails; such a finding is shown apart and never fails a gate."""
    what: str
    """What happened."""
    why: str
    """Why it happens."""
    sure: str
    """How to be sure."""
    client: str = ""
    """What to do on the client side; empty where nothing helps there."""
    server: str = ""
    deployment: str = ""
    references: tuple[str, ...] = ()
    """Specification sections and public threads, as ``owner/repo#number`` or a section name."""
    statuses: tuple[int, ...] = ()
    """HTTP statuses under which it shows, most typical first."""
    bodies: tuple[str, ...] = ()
    """Texts of bodies, exceptions or log lines that point to it."""

    @property
    def family(self) -> str:
        """The part before the dot."""
        return self.name.partition(".")[0]


@cache
def catalogue() -> dict[str, Cause]:
    """Return every cause by name, in the order of the families."""
    modules = (import_module(f"woolly_mcpdiag.core.catalogue.{family}") for family in FAMILIES)
    return {cause.name: cause for module in modules for cause in module.CAUSES}


def nearest(name: str) -> list[str]:
    """Return up to three cause names that look like the given one, best first."""
    names = list(catalogue())
    tails = {n.partition(".")[2]: n for n in names}
    found = get_close_matches(name, names, n=3, cutoff=0.5) + [
        tails[t] for t in get_close_matches(name.rpartition(".")[2], list(tails), n=3, cutoff=0.6)
    ]
    return list(dict.fromkeys(found))[:3]
