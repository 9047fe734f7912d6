"""The one table of formats made of key=value pairs: logfmt, and structlog's console and key-value renderers."""

import re
from collections.abc import Mapping

from woolly_mcpdiag.logs.formats.format import LEVEL, LEVELS, NO_FIELDS, STAMP, Format, Refined, Sample

# A key begins where no key goes on: else a long word without "=" would be tried from each of its characters.
_PAIR = re.compile(
    r"""(?<![\w.@/\-])([A-Za-z_@][\w.@/\-]*)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']\S*|(?=\s|\Z))""", re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r"}
_LOGGER_AT = re.compile(r" *\[([A-Za-z_][\w.\-]{0,200})\](?: (.*))?\Z", re.DOTALL)
_TAIL_AT = re.compile(r" {2,}(?=[A-Za-z_][\w.]{0,100}=)")
_FURTHEST = 4096


def pairs(text: str) -> dict[str, object]:
    """Return the pairs of a logfmt text, values without their quotes; what is no pair is passed over."""
    return {key: _plain(value) for key, value in _PAIR.findall(text)}


def _plain(value: str) -> str:
    if value[:1] not in {'"', "'"}:
        return value
    inner = value[1:-1]
    return _ESCAPE.sub(lambda match: _CONTROL.get(match[1], match[1]), inner) if "\\" in inner else inner


def _console(message: str, _logger: str) -> Refined:
    """Take a structlog console line apart: padded event, logger in brackets, then the pairs.

    The event is free text, so the logger is the last bracket that only pairs follow.
    """
    head, tail = message[:_FURTHEST], message[_FURTHEST:]
    at = head.rfind(" [")
    while at >= 0:
        match = _LOGGER_AT.match(head, at)
        if match is not None and (not match[2] or _PAIR.match(match[2].lstrip())):
            return message[:at].rstrip(), match[1], pairs((match[2] or "") + tail)
        at = head.rfind(" [", 0, at)
    match = _TAIL_AT.search(head)
    fields: Mapping[str, object] = pairs(message[match.end() :]) if match else NO_FIELDS
    return (message[: match.start()] if match else message).rstrip(), "", fields


_MESSAGE_KEY = r"(?:.* )?(?:msg|message|event)="
_LEVEL_KEY = r"(?:.* )?(?:level|lvl|severity)="
_TIME = "2026-11-22T14:45:52.059001+00:00"

PAIRS: tuple[Format, ...] = (
    Format(
        name="structlog",
        starts="0",
        pattern=rf"(?P<time>{STAMP}) \[(?=[a-z]+ +\]){LEVEL} +\] (?P<message>.*)",
        refine=_console,
        samples=(
            Sample(
                line="2026-11-22T14:45:52.059001Z [info     ] agent-0 starting               [lab.agents]",
                message="agent-0 starting",
                level="INFO",
                logger="lab.agents",
                time=_TIME,
            ),
            Sample(
                line="2026-11-22 14:45:52.059001 [error    ] failed [1]   key='a b' n=3",
                message="failed [1]",
                level="ERROR",
                time=_TIME,
            ),
        ),
    ),
    Format(
        name="structlog-untimed",
        starts="[",
        pattern=rf"\[(?=[a-z]+ +\]){LEVEL} +\] (?P<message>.*)",
        refine=_console,
        samples=(
            Sample(
                line="[info     ] agent-0 starting [lab.agents] n=1",
                message="agent-0 starting",
                level="INFO",
                logger="lab.agents",
            ),
        ),
    ),
    Format(
        name="logfmt",
        starts="aA",
        pattern=rf"(?=[A-Za-z_@][\w.@/\-]{{0,60}}=)(?={_LEVEL_KEY})(?={_MESSAGE_KEY})(?P<message>.*)",
        samples=(
            Sample(
                line='ts=2026-11-22T14:45:52.059001Z level=info logger=lab.agents msg="agent-0 \\"starting\\"" n=1',
                message='agent-0 "starting"',
                level="INFO",
                logger="lab.agents",
                time=_TIME,
            ),
            Sample(
                line="event='agent-0 starting' level='info' logger='lab.agents' time='2026-11-22T14:45:52.059001Z'",
                message="agent-0 starting",
                level="INFO",
                logger="lab.agents",
                time=_TIME,
            ),
        ),
    ),
)
LEVELS.setdefault("exception", "ERROR")
