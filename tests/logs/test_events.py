from pathlib import Path

import pytest

from woolly_mcpdiag.api import Options, analyze_logs
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.ids import pack
from woolly_mcpdiag.logs.batch import METHODS, NO_TIME, Batch, Kind, Logger, Tally, Vocabulary
from woolly_mcpdiag.logs.events import read_events
from woolly_mcpdiag.logs.lines import LineEngine

SESSION = "76edd90fcfee4fc38b6b619560599f8f"


def read(*lines: Event | str, **options) -> tuple[Batch, Tally, Vocabulary]:
    vocabulary = Vocabulary()
    texts = (line if isinstance(line, str) else line.to_json() for line in lines)
    (batch, tally), *rest = read_events((text.encode() for text in texts), vocabulary, "run.jsonl", **options)
    assert not rest
    return batch, tally, vocabulary


def exchange(**facts) -> Event:
    return Event(**{"kind": "http.exchange", "method": "POST", "url": "http://h:1/mcp", "status": 404} | facts)


def test_an_exchange_keeps_its_facts():
    batch, tally, vocabulary = read(
        exchange(time=1.5, duration=0.25, size=41, session=SESSION, agent="tester", source="agents")
    )
    assert (batch.time[0], batch.duration[0], batch.size[0], batch.status[0]) == (1_500_000, 0.25, 41, 404)
    assert (batch.kind[0], batch.logger[0], METHODS[batch.method[0]]) == (Kind.CALL, Logger.MCPDIAG, "POST")
    assert (int(batch.high[0]), int(batch.low[0])) == pack(SESSION)
    assert vocabulary.urls.texts == ["http://h:1/mcp"]
    assert vocabulary.agents.texts[batch.agent[0]] == "tester"
    assert vocabulary.sources.texts == ["run.jsonl:agents"]
    assert (tally.read, tally.understood) == (1, 1)


@pytest.mark.parametrize(
    ("role", "kind"), [("client", Kind.CALL), ("", Kind.CALL), ("server", Kind.SERVED), ("proxy", Kind.PROXIED)]
)
def test_who_saw_an_exchange_decides_its_kind(role: str, kind: Kind):
    assert read(exchange(role=role))[0].kind.tolist() == [kind]


def test_what_is_no_exchange_is_a_note_and_an_opening_is_an_opening():
    batch, _, _ = read(
        Event(kind="call.failed", error="ReadTimeout"),
        exchange(status=None),
        Event(kind="session.opened", session=SESSION, role="app", key="tester_1"),
    )
    assert batch.kind.tolist() == [Kind.NOTE, Kind.NOTE, Kind.OPENED]
    assert [batch.notes[row].key for row in (0, 1, 2)] == ["", "", "tester_1"]
    assert batch.time.tolist() == [NO_TIME] * 3


def test_secrets_of_an_event_are_not_kept_in_its_note():
    batch, _, _ = read(
        Event(
            kind="call.failed", error="ConnectError", url="http://u:hunter2@h/?key=hunter2", message="password=hunter2"
        )
    )
    assert "hunter2" not in repr(batch.notes)


@pytest.mark.parametrize(
    "facts",
    [
        '"status":"404"',
        '"status":true',
        '"status":1000',
        '"status":-1',
        '"time":"now"',
        '"time":1e300',
        '"time":NaN',
        '"duration":-1',
        '"duration":1e99',
        '"size":1' + "0" * 30,
        '"url":5',
        '"message":{}',
        '"extra":"x"',
        '"extra":{"a":[]}',
        '"agent":["x"]',
        '"time":' + "9" * 5_000,
        '"extra":' + "[" * 100_000,
    ],
    ids=range(17),
)
def test_a_line_with_a_value_of_a_wrong_kind_is_not_understood(facts: str):
    batch, tally, _ = read('{"schema":"mcpdiag.event/1","kind":"http.exchange",' + facts + "}", exchange())
    assert (tally.read, tally.understood, tally.not_understood, tally.first_not_understood) == (2, 1, 1, 1)
    assert batch.line.tolist() == [2]


def test_fields_of_a_later_version_and_null_are_passed_over():
    _, tally, _ = read('{"schema":"mcpdiag.event/1","kind":"call.failed","mood":"blue","time":null,"error":"X"}', "")
    assert (tally.understood, tally.ignored) == (1, 1)


def test_since_and_until_leave_out_events():
    batch, tally, _ = read(*(exchange(time=float(n)) for n in range(5)), exchange(), since=1_000_000, until=3_000_000)
    assert batch.time.tolist() == [1_000_000, 2_000_000, 3_000_000, NO_TIME]
    assert (tally.read, tally.understood, tally.outside) == (6, 4, 2)


def test_sources_without_end_do_no_harm():
    lines = [exchange(source=f"s{n}") for n in range(2_000)]
    batch, _, vocabulary = read(*lines)
    assert len(batch) == 2_000
    assert len(vocabulary.sources) <= 1_001


def as_events(log: str) -> str:
    """Read a text log and write what it says down as our own event lines."""
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, "app.log")
    for number, line in enumerate(log.splitlines(), 1):
        engine.feed(line.encode(), number)
    batch, _ = engine.take(end=True)
    lines = []
    for row in range(len(batch)):
        key = int(batch.high[row]), int(batch.low[row])
        session = f"{key[0]:016x}{key[1]:016x}" if any(key) else ""
        time = None if batch.time[row] == NO_TIME else int(batch.time[row]) / 1e6
        note = batch.notes.get(row)
        if note is not None:
            lines.append(note)
        elif batch.kind[row] == Kind.OPENED:
            lines.append(Event(kind="session.opened", time=time, session=session, role="app"))
        else:
            lines.append(
                exchange(
                    time=time,
                    role="client",
                    method=METHODS[batch.method[row]],
                    status=int(batch.status[row]),
                    url=vocabulary.urls.texts[batch.url[row]],
                    session=session,
                )
            )
    return "".join(event.to_json() + "\n" for event in lines)


def test_the_log_and_its_events_give_the_same_findings(seed_log: Path, tmp_path: Path):
    events = tmp_path / "run.jsonl"
    events.write_text(as_events(seed_log.read_text(encoding="utf-8")), encoding="utf-8")
    told, again = (analyze_logs([str(path)], Options()).report for path in (seed_log, events))
    assert [(f.cause, f.count, f.of, f.confidence) for f in told.findings] == [
        (f.cause, f.count, f.of, f.confidence) for f in again.findings
    ]
    assert told.findings
    assert (told.requests, told.sessions, told.statuses) == (again.requests, again.sessions, again.statuses)
    assert [(h.name, h.answer) for h in told.hypotheses] == [(h.name, h.answer) for h in again.hypotheses]


def test_a_refused_era_probe_is_known_by_what_the_client_asked(tmp_path):
    log = tmp_path / "run.jsonl"
    facts = {"role": "client", "method": "POST", "url": "http://h:1/mcp"}
    rows = [
        Event(kind="http.exchange", time=1.0, status=400, extra={"rpc": "server/discover"}, **facts),
        Event(kind="http.exchange", time=1.1, status=200, extra={"rpc": "initialize"}, **facts),
        Event(kind="session.opened", time=1.1, role="client", session="76edd90fcfee4fc38b6b619560599f8f"),
        Event(kind="http.exchange", time=1.2, status=202, **facts),
        Event(kind="http.exchange", time=1.3, status=200, extra={"rpc": "tools/call"}, **facts),
    ]
    log.write_text("".join(f"{row.to_json()}\n" for row in rows), encoding="utf-8")
    found = analyze_logs([str(log)]).report.findings
    assert [(finding.cause, finding.count, finding.benign) for finding in found] == [("transport.era-probe", 1, True)]
