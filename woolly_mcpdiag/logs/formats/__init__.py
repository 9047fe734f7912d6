"""The one list of record formats."""

import re

from woolly_mcpdiag.logs.formats.access import ACCESS
from woolly_mcpdiag.logs.formats.bracketed import BRACKETED
from woolly_mcpdiag.logs.formats.format import TIME, Format, start_of
from woolly_mcpdiag.logs.formats.levelled import LEVELLED
from woolly_mcpdiag.logs.formats.ordered import ORDERED
from woolly_mcpdiag.logs.formats.pairs import PAIRS
from woolly_mcpdiag.logs.formats.stamped import STAMPED

FORMATS: tuple[Format, ...] = (*STAMPED[:5], *PAIRS, *LEVELLED, *ACCESS, *BRACKETED, *STAMPED[5:], *ORDERED)
"""Every format read by a pattern; JSON (``rows``) and rich (``logs.unwrap``) have readers of their own."""
BY_START: dict[str, tuple[Format, ...]] = {
    start: tuple(one for one in FORMATS if start in one.starts) for start in "0[ADa ."
}
"""The formats that a line can have by the class of its first character (``format.start_of``)."""
_UNTIMED = {start: tuple(one for one in formats if TIME not in one.pattern) for start, formats in BY_START.items()}
_CLOCK = re.compile(r"\d\d:\d\d|1[5-9]\d{8}")
"""Every time of ``format.TIME`` has a clock or is an epoch."""


def possible(text: str) -> tuple[Format, ...]:
    """Return the formats that a line can have by its first character, and by whether there is a time in it."""
    return (BY_START if _CLOCK.search(text) else _UNTIMED)[start_of(text)]
