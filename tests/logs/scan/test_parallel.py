# ruff: noqa: E501 - log lines are not wrapped
import multiprocessing
import os
from pathlib import Path

import pytest

from woolly_mcpdiag.logs.batch import Vocabulary
from woolly_mcpdiag.logs.lines import LineEngine
from woolly_mcpdiag.logs.scan import parallel
from woolly_mcpdiag.logs.scan.read import read, workers_for

LINES = [
    '2026-11-22 14:44:21,778 INFO httpx: HTTP Request: POST http://h/m?session_id={id:032x} "HTTP/1.1 202 Accepted"',
    "2026-11-22 14:44:21,779 INFO api: Created new MCP session {id:032x} for key tester{agent}_edcec7aa",
    '2026-11-22 14:44:21,780 ERROR api: agent-{agent} failed: ReadTimeout\nTraceback (most recent call last):\n  File "x.py", line 1, in f\nhttpx.ReadTimeout: x',
    "2026-11-22 14:44:21,781 DEBUG httpcore.connection: connect_tcp.started host='h{agent}' port=80 local_address=None",
    "2026-11-22 14:44:21,782 DEBUG httpcore.http11: receive_response_headers.complete return_value=(b'HTTP/1.1', 202, b'Accepted', [(b'content-length', b'{agent}')])",
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("".join(LINES[n % 5].format(id=n, agent=n % 7) + "\n" for n in range(6000)), encoding="utf-8")
    return path


def rows_of(path, workers):
    vocabulary = Vocabulary()
    engine = LineEngine(vocabulary, path.name)
    rows, read_lines = [], 0
    for batch, tally in read(path, engine, vocabulary, name=path.name, workers=workers, span=100_000):
        read_lines += tally.read
        for row in range(len(batch)):
            url = int(batch.url[row])
            note = batch.notes.get(row)
            rows.append(
                (
                    int(batch.line[row]),
                    int(batch.kind[row]),
                    int(batch.status[row]),
                    vocabulary.urls.texts[url] if url >= 0 else "",
                    int(batch.low[row]),
                    int(batch.size[row]),
                    vocabulary.agents.texts[batch.agent[row]],
                    vocabulary.sources.texts[batch.source[row]],
                    note and note.line,
                    note and note.error,
                )
            )
    return rows, read_lines, engine.formats(), dict(engine.zones)


def test_two_workers_give_the_rows_of_one_in_the_same_order(path):
    one, two = rows_of(path, 1), rows_of(path, 2)
    assert two[0] == one[0]
    assert two[1:] == one[1:]
    assert [row[0] for row in one[0]] == sorted(row[0] for row in one[0])


def test_spans_begin_where_records_begin(path):
    data = path.read_bytes()
    cut = parallel.spans(str(path), 50_000)
    assert [span.end for span in cut[:-1]] == [span.start for span in cut[1:]]
    assert (cut[0].start, cut[-1].end) == (0, len(data))
    assert all(data[span.start :].startswith(b"2026-11-22 ") for span in cut)
    assert len(cut) > 5


def test_a_failure_in_a_worker_is_raised_and_no_process_is_left(path, monkeypatch):
    def fail(self, span):
        message = f"span {span.start}"
        raise ValueError(message)

    monkeypatch.setattr(parallel.Worker, "read", fail)
    with pytest.raises(ValueError, match="span 0"):
        rows_of(path, 2)
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_is_told_with_its_exit_code(path, monkeypatch):
    monkeypatch.setattr(parallel.Worker, "read", lambda _self, _span: os._exit(9))
    with pytest.raises(RuntimeError, match=r"app\.log: a worker process ended early with exit code 9"):
        rows_of(path, 2)


def test_closing_the_generator_ends_the_workers(path):
    vocabulary = Vocabulary()
    results = read(path, LineEngine(vocabulary, "x"), vocabulary, workers=2, span=20_000)
    next(results)
    workers = multiprocessing.active_children()
    results.close()
    assert len(workers) == 2
    assert multiprocessing.active_children() == []


def test_only_large_files_get_a_second_worker():
    assert workers_for(1000) == 1
    assert workers_for(1 << 30) == min(2, os.cpu_count() or 1)


def test_no_span_begins_within_a_record(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    record = b"2026-11-22 14:39:01,578 ERROR app: failed\n"
    path.write_bytes(record + b"  a line of its traceback\n" * 300)
    assert [span.start for span in parallel.spans(str(path), 1000)] == [0]
