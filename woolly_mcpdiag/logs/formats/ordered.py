"""The one table of formats with other separators or brackets, or with a level or logger before the time."""

from woolly_mcpdiag.logs.formats.format import (
    ANY,
    DATE_NAME,
    LEVEL,
    LOGGER,
    MESSAGE,
    NO_ERROR,
    SURE_NAME,
    TIME,
    UPPER,
    Format,
    Sample,
)

_ISO = "2026-11-22T14:44:21.778000+00:00"
_OPEN, _CLOSE = "[\\[(<{\u2039\xab]", "[\\])>}\u203a\xbb]"
_BETWEEN = r"(?:[ \t]{0,9}(?:[:,;]|--? |\| )){0,2}[ \t]{0,9}"
_MARK = r"(?P<mark>, ?|; ?| -- | » | : | / )"
_NAMED = (
    rf"(?:\[?(?P<logger>{NO_ERROR}(?=\]?(?::\d+)?(?:: | - | \| )|\] )|{SURE_NAME})\]?(?::\d+)?(?::| -| \|)? +)?"
    rf"{MESSAGE}"
)
_LEADING = rf"\[?(?!{DATE_NAME}\b)(?P<logger>[A-Za-z_][\w.\-/]{{0,200}}+)\]?(?::| -| \||,)?+ *+(?=[\[(\dA-Za-z])"
_STAMPED = rf"{_OPEN}?{TIME}{_CLOSE}?"


def _format(name: str, starts: str, pattern: str, *samples: Sample) -> Format:
    return Format(name=name, starts=starts, pattern=pattern, samples=samples)


def _sample(line: str, logger: str = "lab.agents", level: str = "INFO") -> Sample:
    return Sample(line=line, message="agent-0 starting", level=level, logger=logger, time=_ISO)


ORDERED: tuple[Format, ...] = (
    _format(
        "level-time",
        "Aa[.",
        rf"(?!\[\w{{1,12}}\]\t){_OPEN}?(?P<level>{UPPER}|{UPPER.lower()}) *{_CLOSE}?{_BETWEEN}{_STAMPED}"
        rf"{_BETWEEN}{_NAMED}",
        _sample("INFO 2026-11-22 14:44:21,778 lab.agents agent-0 starting"),
        _sample("INFO     2026-11-22 14:44:21,778 agent-0 starting", ""),
        _sample("INFO: 2026-11-22 14:44:21,778: lab.agents: agent-0 starting"),
        _sample("INFO:     2026-11-22 14:44:21,778 - lab.agents - agent-0 starting"),
        _sample("INFO:2026-11-22 14:44:21,778:agent-0 starting", ""),
        _sample("INFO - 2026-11-22 14:44:21,778 - agent-0 starting", ""),
        _sample("INFO | 11/22/2026 02:44:21.778 PM | lab.agents | agent-0 starting"),
        _sample("[INFO] 2026-11-22 14:44:21,778 lab.agents - agent-0 starting"),
        _sample("[INFO] [2026-11-22 14:44:21,778] [lab.agents] agent-0 starting"),
        _sample("[INFO][2026-11-22 14:44:21,778] lab.agents: agent-0 starting"),
        _sample("<INFO> 22.11.2026 14:44:21,778 agent-0 starting", ""),
        _sample("info: 2026-11-22 14:44:21,778 agent-0 starting", ""),
    ),
    _format(
        "lambda",
        "[",
        rf"\[{LEVEL}\]\t{TIME}\t[\w\-]{{1,64}}\t{MESSAGE}",
        _sample("[INFO]\t2026-11-22T14:44:21.778Z\t8476a536-e9f4-11e8-9739-2dfe598c3fcd\tagent-0 starting", ""),
    ),
    _format(
        "lambda-time-first",
        "0",
        rf"{TIME}\t(?!{ANY}\t)[\w\-]{{1,64}}\t{LEVEL}\t{MESSAGE}",
        _sample("2026-11-22T14:44:21.778Z\t8476a536-e9f4-11e8-9739-2dfe598c3fcd\tINFO\tagent-0 starting", ""),
    ),
    _format(
        "name-level-time",
        "Aa[",
        rf"{_LEADING}\[?{LEVEL}(?: *\])?{_BETWEEN}{_STAMPED}{_BETWEEN}{MESSAGE}",
        _sample("lab.agents - INFO - 2026-11-22 14:44:21,778 - agent-0 starting"),
        _sample("lab.agents: INFO: 2026-11-22 14:44:21,778: agent-0 starting"),
        _sample("[lab.agents] [INFO] 2026-11-22 14:44:21,778 agent-0 starting"),
    ),
    _format(
        "name-time-level",
        "Aa[",
        rf"{_LEADING}{_STAMPED}{_BETWEEN}\[?{LEVEL}(?: *\])?{_BETWEEN}{MESSAGE}",
        _sample("lab.agents - 2026-11-22 14:44:21,778 - INFO - agent-0 starting"),
        _sample("[lab.agents] 2026-11-22 14:44:21,778 [INFO] agent-0 starting"),
    ),
    _format(
        "separated",
        "0D",
        rf"{TIME}{_MARK}{LEVEL} *(?P=mark)(?P<logger>{NO_ERROR})(?::\d+)?(?P=mark){MESSAGE}",
        _sample("2026-11-22 14:44:21,778, INFO, lab.agents, agent-0 starting"),
        _sample("2026-11-22 14:44:21,778;INFO;lab.agents;agent-0 starting"),
        _sample("2026-11-22 14:44:21,778 -- INFO -- lab.agents -- agent-0 starting"),
    ),
    _format(
        "separated-name-first",
        "0D",
        rf"{TIME}{_MARK}(?!{ANY}){LOGGER}(?::\d+)?(?P=mark){LEVEL} *(?P=mark){MESSAGE}",
        _sample("2026-11-22 14:44:21,778, lab.agents, INFO, agent-0 starting"),
    ),
    _format(
        "separated-bare",
        "0D",
        rf"{TIME}{_MARK}{LEVEL} *(?P=mark)(?!{NO_ERROR}(?::\d+)?(?P=mark)){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 -- INFO -- agent-0 starting", ""),
    ),
    _format(
        "enclosed",
        ".",
        rf"(?!\[){_OPEN}{TIME}(?!\]){_CLOSE}{_BETWEEN}{_OPEN}?{LEVEL} *{_CLOSE}?{_BETWEEN}{_NAMED}",
        _sample("(2026-11-22 14:44:21,778) INFO lab.agents: agent-0 starting"),
        _sample("<2026-11-22 14:44:21,778> <INFO> agent-0 starting", ""),
        _sample("\u20392026-11-22 14:44:21,778\u203a [INFO] [lab.agents] agent-0 starting"),
    ),
)
