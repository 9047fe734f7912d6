"""The one table of formats whose lines begin with a time."""

from woolly_mcpdiag.logs.formats.format import (
    ANY,
    LEVEL,
    LOGGER,
    MESSAGE,
    NAME,
    NO_ERROR,
    SURE_NAME,
    TIME,
    Format,
    Sample,
)

_ISO = "2026-11-22T14:44:21.778000+00:00"
_ENCLOSED = rf"\[{NAME}(?::\d+)?\]:? |\[[^\]]{{1,100}}\] {NAME}(?::\d+)? - |\([^)]{{1,100}}\) \[{NAME}\] "
"""What is no message behind a level: a logger or a thread."""
_SECOND = "2026-11-22T14:44:21+00:00"


def _format(name: str, pattern: str, *samples: Sample) -> Format:
    return Format(name=name, starts="0D", pattern=TIME + pattern, samples=samples)


def _sample(line: str, message: str = "agent-0 starting", level: str = "INFO", logger: str = "lab.agents") -> Sample:
    return Sample(line=line, message=message, level=level, logger=logger, time=_ISO)


STAMPED: tuple[Format, ...] = (
    _format(
        "asctime-dash",
        f" - {LOGGER} - {LEVEL} +- {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 - lab.agents - INFO - agent-0 starting"),
        _sample("2026-11-22T14:44:21.778Z - lab.agents - WARNING - low - but fine", "low - but fine", "WARNING"),
    ),
    _format(
        "asctime-bracket",
        rf" \[(?![a-z]+ +\]){LEVEL} *\] {LOGGER}(?::| -) {MESSAGE}",
        _sample("2026-11-22 14:44:21,778.778 [INFO] lab.agents: agent-0 starting"),
        _sample("2026-11-22 14:44:21,778 [INFO    ] lab.agents: agent-0 starting"),
    ),
    _format(
        "asctime-colon",
        f" {LEVEL} +{LOGGER}: {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 DEBUG httpcore.http11: x y", "x y", "DEBUG", "httpcore.http11"),
        *(
            _sample(f"{stamp} INFO lab.agents: agent-0 starting")
            for stamp in (
                "11/22/2026 02:44:21.778 PM",
                "22/11/2026 14:44:21.778",
                "26/11/22 14:44:21,778",
                "22.11.2026 14:44:21,778",
                "22-11-2026 14:44:21,778",
                "22-Nov-2026 14:44:21,778",
                "22 Nov 2026 14:44:21.778",
                "Sun, 22 Nov 2026 14:44:21.778 +0000",
                "Sun Nov 22 14:44:21.778 2026",
                "Nov 22, 2026 02:44:21.778 PM",
                "1795358661.778",
                "1795358661778",
            )
        ),
        _sample("2026-11-22 14:44:21,778 INFO     lab.agents: agent-0 starting"),
    ),
    _format(
        "asctime-level-in-brackets-after",
        rf" {LEVEL} +\[{LOGGER}(?::\d+)?\]:? {MESSAGE}",
        _sample("2026-11-22T14:44:21.778Z INFO [lab.agents] agent-0 starting"),
        _sample("2026-11-22T15:44:21.778+01:00 ERROR [lab.agents] agent-0 failed", "agent-0 failed", "ERROR"),
        _sample("2026-11-22 14:44:21,778 INFO [lab.agents:94] agent-0 starting"),
    ),
    _format(
        "pipe",
        rf" +\| {LEVEL} +\| (?P<logger>{NAME})(?::[^\s:]{{1,100}}:\d+)? +[-|] {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 | INFO     | lab.agents:worker:94 - agent-0 starting"),
        _sample("2026-11-22 14:44:21.778 | INFO     | lab.agents:<module>:94 - agent-0 starting"),
        _sample("2026-11-22 14:44:21.778 | INFO | lab.agents | agent-0 starting"),
    ),
    _format(
        "pipe-bare",
        rf" +\| {LEVEL} +\| (?!{NAME}(?::[^\s:]{{1,100}}:\d+)? +[-|] ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 | INFO | agent-0 starting", logger=""),
    ),
    _format(
        "pipe-name-first",
        rf" +\| (?!{ANY}){LOGGER} +\| {LEVEL} +\| {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 | lab.agents | INFO | agent-0 starting"),
    ),
    _format(
        "asctime-words",
        f" {LEVEL} +(?P<logger>{SURE_NAME}) ++(?!- ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 INFO lab.agents agent-0 starting"),
        _sample(
            '2026-11-22 14:44:21,778 INFO httpx HTTP Request: GET x "y"', 'HTTP Request: GET x "y"', logger="httpx"
        ),
    ),
    _format(
        "asctime-name-first",
        rf" (?!{ANY}){LOGGER}:? +{LEVEL}:? ++(?!{NAME} - ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 lab.agents INFO agent-0 starting"),
        _sample("2026-11-22 14:44:21,778 lab.agents INFO: agent-0 starting"),
        _sample("11-22 14:44:21,778 lab.agents   INFO     agent-0 starting"),
    ),
    _format(
        "asctime-basic",
        f"[ :]{LEVEL}:(?P<logger>[^\\s:]{{1,200}}):{MESSAGE}",
        _sample("2026-11-22 14:44:21,778 INFO:lab.agents:agent-0 starting"),
        _sample("2026-11-22 14:44:21,778:INFO:lab.agents:agent-0 starting"),
    ),
    _format(
        "asctime-dash-level-first",
        f" - {LEVEL} +- (?!{ANY}){LOGGER} - {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 - INFO - lab.agents - agent-0 starting"),
    ),
    _format(
        "asctime-dash-bare",
        f" - {LEVEL}(?: +-|:) (?!{NAME} - ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 - INFO - agent-0 starting", logger=""),
        _sample("2026-11-22 14:44:21,778 - INFO: agent-0 starting", logger=""),
    ),
    _format(
        "asctime-two-brackets",
        rf" \[{LEVEL} *\] \[{LOGGER}\]:? {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 [INFO] [lab.agents] agent-0 starting"),
    ),
    _format(
        "asctime-name-in-brackets",
        rf" \[(?!{ANY} *\]){LOGGER}\] \[?{LEVEL} *\]?:? ++(?!{NAME} - ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 [lab.agents] INFO: agent-0 starting"),
        _sample("2026-11-22 14:44:21,778 [lab.agents] [INFO] agent-0 starting"),
    ),
    _format(
        "asctime-bracket-bare",
        rf" \[(?![a-z]+ +\]){LEVEL} *\] (?!{NAME}(?::| -) |\[{NAME}\]|\d+#\d+: ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 [INFO] agent-0 starting", logger=""),
    ),
    _format(
        "log4j",
        rf" (?:\[[^\]]{{1,100}}\] )?{LEVEL} +(?:\[[^\]]{{1,100}}\] )?{LOGGER}(?::\d+)? - {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 [main] INFO  lab.agents - agent-0 starting"),
        _sample("2026-11-22 14:44:21,778 INFO lab.agents:94 - agent-0 starting"),
    ),
    _format(
        "spring",
        rf" +{LEVEL} +\d+ --- (?:\[[^\]]{{1,100}}\] )+(?P<logger>\S{{1,200}}) +: {MESSAGE}",
        _sample("2026-11-22T14:44:21.778Z  INFO 4711 --- [app] [main] lab.agents       : agent-0 starting"),
    ),
    _format(
        "home-assistant",
        rf" {LEVEL} +\([^)]{{1,100}}\) \[{LOGGER}\] {MESSAGE}",
        _sample("2026-11-22 14:44:21.778 INFO (MainThread) [lab.agents] agent-0 starting"),
    ),
    _format(
        "zap",
        rf"\t{LEVEL}\t(?:(?P<logger>{NAME})\t)??(?:[^\s:]{{1,200}}\.go:\d+\t)?(?![^\t]{{1,200}}\.go:\d+\t){MESSAGE}",
        _sample("2026-11-22T14:44:21.778Z\tinfo\tproxy/main.go:12\tagent-0 starting", logger=""),
    ),
    _format(
        "asctime-level",
        rf" {LEVEL}(?: -)? ++(?!{NAME}(?::\d+)?(?:: | - )|{SURE_NAME} |{_ENCLOSED}|\||-- |\d+ ---|- ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 INFO agent-0 starting", logger=""),
        _sample("2026-11-22 14:44:21,778 INFO [cached since 1s ago] (7)", "[cached since 1s ago] (7)", logger=""),
        _sample("2026-11-22 14:44:21,778 INFO close.started", "close.started", logger=""),
    ),
    _format(
        "asctime-level-colon",
        rf" {LEVEL}:(?: -)? ++(?!{NO_ERROR}: ){MESSAGE}",
        _sample("2026-11-22 14:44:21,778 ERROR: agent-0 failed", "agent-0 failed", "ERROR", ""),
        _sample(
            "2026-11-22 14:44:21,778 DEBUG:    connect_tcp.started host='h'",
            "connect_tcp.started host='h'",
            "DEBUG",
            "",
        ),
        _sample("2026-11-22 14:44:21,778 INFO:     [cached since 1s ago] (7)", "[cached since 1s ago] (7)", logger=""),
        _sample("2026-11-22 14:44:21,778 ERROR:    ReadTimeout: late", "ReadTimeout: late", "ERROR", ""),
    ),
    _format(
        "asctime-level-colon-name",
        rf" {LEVEL}: ++(?P<logger>{NO_ERROR}): {MESSAGE}",
        _sample("2026-11-22 14:44:21,778 INFO: lab.agents: agent-0 starting"),
    ),
    _format(
        "asctime-only",
        rf":? ++(?!{ANY}|\d{{4}}-\d\d-\d\d[T ]\d\d:|[-|{{]|\[ *{ANY} *\]"
        rf"|[\[(][^\])]{{1,100}}[\])] *\[?{ANY}|{NAME}:? +{ANY}|(?:stdout|stderr) [FP] "
        rf"|\S{{1,100}} ?\S{{1,100}}\[[\w.]+\]: ){MESSAGE}",
        Sample(line="2026/11/22 14:44:21 agent-0 starting", message="agent-0 starting", time=_SECOND),
        _sample("2026-11-22 14:44:21,778 HTTP Request: GET x", "HTTP Request: GET x", "", ""),
        _sample("2026-11-22 14:44:21,778 [cached since 1s ago] (7)", "[cached since 1s ago] (7)", "", ""),
    ),
)
