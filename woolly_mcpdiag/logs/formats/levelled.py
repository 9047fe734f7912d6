"""The one table of formats whose lines begin with a level and have no time of their own, and of glog's."""

from woolly_mcpdiag.logs.formats.format import LEVELS, MESSAGE, NAME, STAMP, SURE_NAME, UPPER, Format, Sample

_LEVEL = f"(?P<level>{UPPER})"
_PADDED = r"(?P<level>INFO(?=: {5}\S)|(?:TRACE|DEBUG|ERROR)(?=: {4}\S)|WARNING(?=: {2}\S)|CRITICAL(?=: \S))"
_GLOG = {"I": "INFO", "W": "WARNING", "E": "ERROR", "F": "CRITICAL"}
LEVELS.update(_GLOG)

_ACCESS = '127.0.0.1:37750 - "GET /sse/ HTTP/1.1" 400 Bad Request'

LEVELLED: tuple[Format, ...] = (
    Format(
        name="basic",
        starts="A",
        pattern=rf"{_LEVEL}:(?!{STAMP})(?P<logger>[^\s:]{{1,200}}):{MESSAGE}",
        samples=(
            Sample(
                line="INFO:lab.agents:agent-0 starting", message="agent-0 starting", level="INFO", logger="lab.agents"
            ),
            Sample(line="WARNING:root: odd: x", message=" odd: x", level="WARNING", logger="root"),
        ),
    ),
    Format(
        name="uvicorn",
        starts="A",
        pattern=rf"{_PADDED}: ++(?!{STAMP}){MESSAGE}",
        samples=(
            Sample(line="INFO:     Started server process [1]", message="Started server process [1]", level="INFO"),
            Sample(line=f"INFO:     {_ACCESS}", message=_ACCESS, level="INFO"),
            Sample(line="CRITICAL: stop", message="stop", level="CRITICAL"),
            Sample(line="WARNING:  slow", message="slow", level="WARNING"),
        ),
    ),
    Format(
        name="pytest",
        starts="A",
        pattern=rf"{_LEVEL} +(?P<logger>{NAME}):[\w.\-]{{1,100}}\.py:\d+ {MESSAGE}",
        samples=(Sample(line="INFO     httpx:_client.py:1740 HTTP x", message="HTTP x", level="INFO", logger="httpx"),),
    ),
    Format(
        name="level-name",
        starts="A",
        pattern=rf"{_LEVEL}(?: -)? +(?P<logger>{SURE_NAME})(?::| -) {MESSAGE}",
        samples=(
            Sample(
                line="INFO lab.agents: agent-0 starting", message="agent-0 starting", level="INFO", logger="lab.agents"
            ),
            Sample(line="ERROR - httpx - timed out", message="timed out", level="ERROR", logger="httpx"),
        ),
    ),
    Format(
        name="level-bracket-name",
        starts="A",
        pattern=rf"{_LEVEL} +\[(?P<logger>{NAME})\] {MESSAGE}",
        samples=(
            Sample(
                line="INFO  [lab.agents] agent-0 starting",
                message="agent-0 starting",
                level="INFO",
                logger="lab.agents",
            ),
        ),
    ),
    Format(
        name="level",
        starts="A",
        pattern=(
            rf"(?!CRITICAL: ){_LEVEL}(?: - |: (?! )| ++(?!-))"
            rf"(?!(?:\| |[\[(])?{STAMP}|\[{NAME}\] |{SURE_NAME}(?::| -) |{NAME}:[\w.\-]{{1,100}}\.py:\d+ ){MESSAGE}"
        ),
        samples=(
            Sample(line="INFO agent-0 starting", message="agent-0 starting", level="INFO"),
            Sample(line="ERROR: agent-0 failed", message="agent-0 failed", level="ERROR"),
        ),
    ),
    Format(
        name="fastapi-cli",
        starts=" ",
        pattern=rf" {{1,9}}{_LEVEL} {{3}}(?! ){MESSAGE}",
        samples=(Sample(line=f"      INFO   {_ACCESS}", message=_ACCESS, level="INFO"),),
    ),
    Format(
        name="glog",
        starts="A",
        pattern=(
            r"(?P<level>[IWEF])(?P<time>\d{4} {1,2}\d\d:\d\d:\d\d\.\d{1,6})"
            rf" +\d+ (?P<logger>[^\s:\]]{{1,200}}:\d+)\] {MESSAGE}"
        ),
        samples=(
            Sample(
                line="I1122 14:44:21.778000    7 agents.go:94] agent-0 starting",
                message="agent-0 starting",
                level="INFO",
                logger="agents.go:94",
                time="2026-11-22T14:44:21.778000+00:00",
            ),
        ),
    ),
)
