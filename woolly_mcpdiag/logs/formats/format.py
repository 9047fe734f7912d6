"""The one shape of a record format: a pattern, where it can begin, and the sample lines it must read."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Refined = tuple[str, str, Mapping[str, object]]
"""Message, logger, other fields."""
Matcher = Callable[[str], re.Match[str] | None]
NO_FIELDS: Mapping[str, object] = {}

_SPELLINGS = {
    "DEBUG": "trace debug dbg notset verbose",
    "INFO": "info information notice success inf",
    "WARNING": "warning warn wrn",
    "ERROR": "error err exception",
    "CRITICAL": "critical crit fatal panic alert emerg emergency severe",
}
LEVELS: dict[str, str] = {
    spelling: level
    for level, words in _SPELLINGS.items()
    for word in words.split()
    for spelling in (word, word.upper(), word.capitalize())
}
"""Every spelling of a level to the one we use."""

UPPER = "(?:TRACE|DEBUG|INFO|NOTICE|SUCCESS|WARNING|WARN|ERROR|CRITICAL|FATAL|EXCEPTION|NOTSET)"
ANY = (
    r"(?i:trace|debug|information|info|notice|success|warning|warn|error|err|critical|crit|fatal|panic|alert|emerg"
    r"|exception|notset)(?![\w-])"
)
CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,6}(?:\.\d{3})?(?!\d))?"
ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?+"
_DAYS = "Sun Mon Tue Wed Thu Fri Sat"
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
_MONTH = f"(?:{_MONTHS.replace(' ', '|')})"
_WEEKDAY = f"(?:{_DAYS.replace(' ', '|')})"
DATE_NAME = f"(?:{_DAYS} {_MONTHS})".replace(" ", "|")
_OTHER_DATE = (
    r"\d\d[-/]\d\d |\d\d(?:/\d\d/(?:\d{4}|\d\d)|-\d\d-\d{4}|\.\d\d\.(?:\d{4}|\d\d)),? "
    rf"|(?:{_WEEKDAY},? )?\d\d?[-/ ]{_MONTH}[-/ ]\d{{4}}(?:,? |:)|{_MONTH} \d\d?, \d{{4}},? "
)
_MINUTE = r"\d\d:\d\d(?![:\d])"
_CTIME = rf"(?:{_WEEKDAY} )?{_MONTH} [ \d]\d {CLOCK}(?: [A-Z]{{3,4}})? \d{{4}}(?!\d)"
_EPOCH = r"1[5-9]\d{8}(?:[.,]\d{1,6}|\d{3})?(?=[ \])>,;:|\t])"
STAMP = (
    rf"(?:(?:(?:\d{{4}}[-/.]\d\d[-/.]\d\d[T ]|{_OTHER_DATE})(?:{CLOCK}|{_MINUTE})|{CLOCK})(?: ?[AaPp][Mm]\b)?+{ZONE}"
    rf"|{_CTIME}|{_EPOCH})"
)
"""Every layout of a time. Only ISO dates have a "T"."""
TIME = rf"(?P<time>{STAMP})"
NAME = r"[A-Za-z_][\w.\-/]{0,200}"
NO_ERROR = rf"(?!\w{{1,60}}(?:Error|Exception|Timeout)\b){NAME}"
"""A name that is not the type of an exception, which begins a message."""
SURE_NAME = (
    r"(?!\w{1,60}\.(?:started|complete|failed)\b)(?:[A-Za-z_][\w\-]{0,100}(?:\.[\w\-]{1,100}){1,20}"
    r"|httpx2?|httpcore2?|asyncio|anyio|uvicorn|gunicorn|hypercorn"
    r"|root|mcp|fastmcp|FastMCP|pydantic_ai|openai|anthropic|starlette|fastapi|urllib3|aiohttp|__main__)(?=[\s:])"
)
"""A name that needs nothing behind it to be told from a word; httpcore's messages look like one."""
LOGGER = f"(?P<logger>{NAME})"
LEVEL = f"(?P<level>{ANY})"
MESSAGE = "(?P<message>.*)"

_DATE_NAMES = frozenset(f"{_DAYS} {_MONTHS}".split())
_AFTER_NAME = frozenset(" ,")
PARTS = ("time", "level", "logger", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A line and what a format must read in it."""

    line: str
    message: str
    level: str = ""
    logger: str = ""
    time: str = ""
    """ISO 8601 in UTC, "" where the line has no time."""


@dataclass(slots=True, kw_only=True, eq=False)
class Format:
    """One layout of a record on one line."""

    name: str
    starts: str
    """The classes of first characters it can begin with, see ``start_of``."""
    pattern: str
    """Groups ``time``, ``level``, ``logger``, ``message``; each may be absent but the last."""
    samples: tuple[Sample, ...]
    refine: Callable[[str, str], Refined] | None = None
    """Takes message and logger apart further."""
    match: Matcher = field(init=False, repr=False)
    order: tuple[int, ...] = field(init=False, repr=False)
    """The numbers of the groups time, level, logger, message."""

    def __getattr__(self, name: str) -> object:
        """Compile the pattern when ``match`` or ``order`` is first asked for: most logs use two formats of many."""
        if name not in {"match", "order"}:
            raise AttributeError(name)
        self.match, self.order = compiled(self.pattern, PARTS)
        return getattr(self, name)


def compiled(pattern: str, parts: tuple[str, ...]) -> tuple[Matcher, tuple[int, ...]]:
    """Return a pattern's ``match`` and the numbers of its groups of these names; absent groups read as ""."""
    absent = "".join(f"(?P<{part}>)" for part in parts if f"(?P<{part}>" not in pattern)
    regex = re.compile(f"{pattern}{absent}", re.DOTALL)
    return regex.match, tuple(regex.groupindex[part] for part in parts)


def start_of(text: str) -> str:
    """Return the class of a line's beginning.

    0 digit, [, D name of a day or month, A other capital, a small letter, space, or . any other.
    """
    first = text[:1]
    if first.isdigit():
        return "0"
    if first in {"[", " "}:
        return first
    if "A" <= first <= "Z":
        return "D" if text[3:4] in _AFTER_NAME and text[:3] in _DATE_NAMES else "A"
    return "a" if "a" <= first <= "z" or first == "_" else "."
