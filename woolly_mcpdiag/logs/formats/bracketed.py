"""The one table of formats whose lines begin with a square bracket."""

from woolly_mcpdiag.logs.formats.format import ANY, LEVEL, LOGGER, MESSAGE, NAME, STAMP, UPPER, Format, Sample

_TIME = rf"\[(?P<time>{STAMP})\]"
_NOT_RICH = r"(?!\[\d\d/\d\d/\d\d[^\]]{8,24}\] (?:[A-Z]+ {2}|CRITICAL ))"
_ISO = "2026-11-22T14:44:40.551000+00:00"


def _format(name: str, pattern: str, *samples: Sample) -> Format:
    return Format(name=name, starts="[", pattern=pattern, samples=samples)


def _sample(line: str, message: str = "agent-0 starting", logger: str = "lab.agents", time: str = _ISO) -> Sample:
    return Sample(line=line, message=message, level="INFO", logger=logger, time=time)


BRACKETED: tuple[Format, ...] = (
    _format(
        "gunicorn",
        rf"{_TIME} \[\d+\] \[{LEVEL} *\] {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] [15653] [INFO] agent-0 starting", logger=""),
        _sample(
            "[2026-11-22 14:44:40 +0000] [7] [INFO] Booting worker with pid: 7",
            "Booting worker with pid: 7",
            "",
            "2026-11-22T14:44:40+00:00",
        ),
    ),
    _format(
        "bracket-all",
        rf"{_TIME} ?\[{LEVEL} *\] ?\[{LOGGER}\](?: -)? {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] [INFO] [lab.agents] agent-0 starting"),
    ),
    _format(
        "hydra",
        rf"{_TIME} ?\[(?!{ANY} *\]){LOGGER}\] ?\[{LEVEL} *\](?: -)? {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551][lab.agents][INFO] - agent-0 starting"),
    ),
    _format(
        "bracket-name",
        rf"{_TIME} ?\[{LEVEL} *\] {LOGGER}(?::| -) {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] [INFO] lab.agents: agent-0 starting"),
    ),
    _format(
        "bracket-bare",
        rf"{_TIME} ?\[{LEVEL} *\] (?!\[{NAME}\]|{NAME}(?::| -) ){MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] [INFO] agent-0 starting", logger=""),
    ),
    _format(
        "flask",
        rf"{_TIME} {LEVEL} in (?P<logger>[\w.]{{1,200}}): {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] INFO in _client: agent-0 starting", logger="_client"),
    ),
    _format(
        "airflow",
        rf"{_TIME} \{{(?P<logger>[^}}]{{1,200}})\}} {LEVEL} - {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] {agents.py:94} INFO - agent-0 starting", logger="agents.py:94"),
    ),
    _format(
        "bracket-stamp-colon",
        rf"{_NOT_RICH}{_TIME} {LEVEL} ++(?!in ){LOGGER}(?::| -) {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] INFO lab.agents: agent-0 starting"),
        _sample("[2026-11-22 14:44:40,551] INFO     lab.agents: agent-0 starting"),
    ),
    _format(
        "bracket-stamp",
        rf"{_NOT_RICH}{_TIME} {LEVEL}:? ++(?!in [\w.]{{1,200}}: |{NAME}(?::| -) ){MESSAGE}",
        _sample("[2026-11-22 14:44:40,551] INFO agent-0 starting", logger=""),
        _sample("[2026-11-22 14:44:40,551] INFO     agent-0 starting", logger=""),
    ),
    _format(
        "celery",
        rf"\[(?P<time>{STAMP}): {LEVEL}/(?P<logger>[^\]]{{1,100}})\] {MESSAGE}",
        _sample("[2026-11-22 14:44:40,551: INFO/MainProcess] agent-0 starting", logger="MainProcess"),
    ),
    _format(
        "apache-error",
        r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4})\]"
        rf" \[(?:(?P<logger>[\w]{{0,40}}):)?{LEVEL}\] {MESSAGE}",
        _sample(
            "[Sun Nov 22 14:44:40.551000 2026] [proxy_http:info] [pid 7:tid 8] (70007)The timeout expired",
            "[pid 7:tid 8] (70007)The timeout expired",
            "proxy_http",
        ),
    ),
    _format(
        "level-in-brackets",
        rf"\[(?P<level>{UPPER}) *\] (?!\[?{STAMP}|{NAME}: ){MESSAGE}",
        _sample("[INFO] agent-0 starting", logger="", time=""),
    ),
    _format(
        "level-in-brackets-name",
        rf"\[(?P<level>{UPPER}) *\] {LOGGER}: {MESSAGE}",
        _sample("[INFO] lab.agents: agent-0 starting", time=""),
    ),
)
