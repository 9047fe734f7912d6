import csv
import importlib.util
import io
from pathlib import Path

import pandas as pd
import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.report import frames

ROWS = [
    {
        "session": "a" * 32,
        "agent": "tester",
        "opened": 1_795_356_131.195,
        "requests": 3,
        "failures": 1,
        "overlap": None,
    },
    {"session": "b" * 32, "agent": None, "opened": None, "requests": 0, "longest_idle": 2.5, "unknown": 1},
]


def test_a_session_row_keeps_its_facts_and_what_is_absent_stays_absent():
    frame = frames.sessions_frame(ROWS)
    assert list(frame.columns) == list(frames.SESSIONS)
    assert frame["opened"][0] == pd.Timestamp("2026-11-22T14:02:11.195Z")
    assert frame["requests"].tolist() == [3, 0]
    assert frame["overlap"].isna().all()
    assert pd.isna(frame["agent"][1])
    assert frame["longest_idle"][1] == 2.5


def test_an_empty_table_has_the_same_columns_and_types():
    full, empty = frames.sessions_frame(ROWS), frames.sessions_frame([])
    assert list(empty.dtypes) == list(full.dtypes)
    assert len(frames.events_frame([])) == 0


def test_without_times_the_columns_are_positions():
    frame = frames.sessions_frame([{"session": "a", "opened": 6.0, "closed": None}], order=True)
    assert frame["opened"].tolist() == [6]
    assert str(frame["closed"].dtype) == "Int64"


def test_csv_has_iso_times_and_empty_cells():
    rows = list(csv.DictReader(io.StringIO(frames.to_csv(frames.sessions_frame(ROWS)))))
    assert rows[0]["opened"] == "2026-11-22T14:02:11.195000Z"
    assert rows[1]["opened"] == rows[1]["agent"] == ""
    assert rows[0]["requests"] == "3"


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x"])
def test_a_spreadsheet_sees_no_formula(text: str):
    rows = list(csv.DictReader(io.StringIO(frames.to_csv(frames.events_frame([{"message": text}])))))
    assert rows[0]["message"] == f"'{text}"


def test_control_characters_and_separators_do_not_break_a_row():
    text = 'a,"b"\x1b[2J\nc'
    rows = list(csv.DictReader(io.StringIO(frames.to_csv(frames.events_frame([{"message": text, "line": 7}])))))
    assert (rows[0]["message"], rows[0]["line"]) == ('a,"b"\\x1b[2J\\nc', "7")


def test_parquet_reads_back(tmp_path: Path):
    pytest.importorskip("pyarrow")
    frame = frames.sessions_frame(ROWS)
    frames.to_parquet(frame, tmp_path / "s.parquet")
    back = pd.read_parquet(tmp_path / "s.parquet")
    assert back["opened"][0] == frame["opened"][0]
    assert back["requests"].tolist() == [3, 0]


def test_without_pyarrow_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames, "find_spec", lambda name: None if name == "pyarrow" else importlib.util.find_spec(name))
    with pytest.raises(UsageError, match="pyarrow is not installed") as caught:
        frames.to_parquet(frames.sessions_frame([]), tmp_path / "s.parquet")
    assert "pip install 'woolly-mcpdiag[parquet]'" in caught.value.hint
