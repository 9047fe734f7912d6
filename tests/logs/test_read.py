import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.logs.backwards import Backwards
from woolly_mcpdiag.logs.batch import BatchBuilder, Kind, Vocabulary
from woolly_mcpdiag.logs.inputs import resolve
from woolly_mcpdiag.logs.read import Reading, Settings, compiled

LINE = '2026-03-01 10:{minute:02}:{second:02}{zone} INFO httpx: HTTP Request: POST http://h:1/mcp "HTTP/1.1 404 X"\n'


def reading(path: Path, **settings) -> tuple[Reading, int]:
    (source,) = resolve([str(path)])
    found = Reading(source, Vocabulary(), Settings(**settings))
    return found, sum(len(batch) for batch in found.batches())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text(
        LINE.format(minute=0, second=0, zone="Z") + LINE.format(minute=0, second=1, zone=""), encoding="utf-8"
    )
    return path


def test_a_text_log_tells_its_formats_and_zones(log: Path):
    found, rows = reading(log)
    assert (rows, found.tally.read, found.tally.understood) == (2, 2, 2)
    assert found.formats
    assert found.zones == (1, 1)
    assert found.failure is None


def test_what_was_read_is_told_even_where_the_reading_stops_early(log: Path):
    (source,) = resolve([str(log)])
    found = Reading(source, Vocabulary(), Settings())
    batches = found.batches()
    next(batches)
    batches.close()
    assert found.formats


def test_each_kind_of_input_has_its_reader(tmp_path: Path):
    event = '{"schema":"mcpdiag.event/1","kind":"http.exchange","method":"GET","url":"/mcp","status":404}\n'
    entry = {
        "startedDateTime": "2026-03-01T10:00:00Z",
        "request": {"method": "GET", "url": "/mcp"},
        "response": {"status": 404},
    }
    har = json.dumps({"log": {"version": "1.2", "entries": [entry]}})
    for name, data, told in (("a.jsonl", event, "mcpdiag events"), ("a.har", har, "har")):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(data.encode()))
        found, rows = reading(tmp_path / f"{name}.gz")
        assert (rows, found.formats) == (1, [told])


def test_a_document_that_breaks_is_kept_as_a_failure_and_a_damage(tmp_path: Path):
    path = tmp_path / "a.har"
    path.write_text('{"log": {"version": "1.2", "entries": [', encoding="utf-8")
    found, rows = reading(path)
    assert rows == 0
    assert found.failure is not None
    assert found.input.damage.startswith("is no whole HAR document")


def test_settings_reach_the_reader(log: Path):
    found, rows = reading(log, since=1_772_359_201_000_000)
    assert (rows, found.tally.outside) == (1, 1)


@pytest.mark.parametrize(
    ("pattern", "fact"), [("(", "not a regular expression"), ("id=(.*)", "no group named session")]
)
def test_a_pattern_that_cannot_name_a_session_is_refused(pattern: str, fact: str):
    with pytest.raises(UsageError, match=fact) as caught:
        compiled([pattern])
    assert "(?P<session>" in caught.value.hint


def watched(*times: int | None, sources: tuple[int, ...] = ()) -> Backwards:
    found, out = Backwards(), BatchBuilder()
    no_time = np.iinfo(np.int64).min
    for line, time in enumerate(times, 1):
        source = sources[line - 1] if sources else 0
        out.add(line=line, time=no_time if time is None else time * 1_000_000, kind=Kind.CALL, source=source)
        if line == 2:
            found.watch(out.take())
    found.watch(out.take())
    return found


def test_a_step_back_is_seen_with_its_line_and_length():
    found = watched(10, 20, 5, None, 6, 4)
    assert (found.count, found.line, found.longest) == (2, 3, 15.0)


def test_a_second_is_no_step_back_and_services_have_clocks_of_their_own():
    assert watched(10, 9, 9, 10).count == 0
    assert watched(10, 5, 11, 6, sources=(1, 2, 1, 2)).count == 0
