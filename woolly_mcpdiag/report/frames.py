"""The one place for tables of sessions and events as pandas DataFrames, CSV and Parquet; pandas loads on first use."""

from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.runs import Run
from woolly_mcpdiag.report import run_tables
from woolly_mcpdiag.report.escape import printable

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "count", "seconds", "time"]
SESSIONS: Mapping[str, Kind] = {
    "session": "text",
    "key": "text",
    "agent": "text",
    "source": "text",
    "opened": "time",
    "ready": "time",
    "first_use": "time",
    "closed": "time",
    "requests": "count",
    "failures": "count",
    "longest_idle": "seconds",
    "overlap": "count",
    "note": "text",
}
"""Columns of the sessions table; they mean what they mean in ``core.timelines.Timeline``."""
EVENTS: Mapping[str, Kind] = {
    "time": "time",
    "kind": "text",
    "source": "text",
    "line": "count",
    "role": "text",
    "logger": "text",
    "level": "text",
    "method": "text",
    "url": "text",
    "status": "count",
    "size": "count",
    "duration": "seconds",
    "session": "text",
    "key": "text",
    "agent": "text",
    "error": "text",
    "message": "text",
}
"""Columns of the events table; they mean what they mean in ``core.events.Event``."""
_SERIES: Mapping[str, Kind] = {
    "scene": "text",
    "kind": "text",
    "client": "text",
    "agent": "text",
    "operation": "text",
    "tried": "count",
    "ok": "count",
    "failed": "count",
    "retried": "count",
    "degraded": "count",
    "rate": "seconds",
}


def _quantiles(prefix: str = "") -> dict[str, Kind]:
    return {f"{prefix}{name}": "seconds" for name in ("p50", "p90", "p95", "p99", "max")}


INTERVALS: Mapping[str, Kind] = {
    "start": "seconds",
    "end": "seconds",
    **_SERIES,
    **_quantiles(),
    "in_flight": "count",
    "users": "seconds",
}
"""Columns of the table of intervals and series of a run: see ``report.run_tables``. Times count from its start."""
CALLS: Mapping[str, Kind] = {
    **_SERIES,
    **_quantiles(),
    "mean": "seconds",
    **_quantiles("service_"),
    **_quantiles("first_"),
    **_quantiles("failing_"),
}
"""Columns of the table of series of a run."""
_FORMULA = ("=", "+", "-", "@")


def sessions_frame(rows: Iterable[Mapping[str, object]], *, order: bool = False) -> "pd.DataFrame":
    """Return one row a session with the columns of ``SESSIONS``; other keys are dropped.

    Times are seconds since the epoch in the rows and UTC timestamps in the frame. With ``order`` the log had
    no times: then the time columns are positions in the order of events.
    """
    return _frame(rows, SESSIONS, order=order)


def events_frame(rows: Iterable[Mapping[str, object]], *, order: bool = False) -> "pd.DataFrame":
    """Return one row an event with the columns of ``EVENTS``; other keys are dropped. ``order`` as above."""
    return _frame(rows, EVENTS, order=order)


def run_frame(run: Run, table: str) -> "pd.DataFrame":
    """Return the table ``intervals`` (one row an interval and series) or ``calls`` (one row a series) of a run."""
    if table == "calls":
        return _frame(run_tables.call_rows(run), CALLS, order=False)
    return _frame(run_tables.interval_rows(run), INTERVALS, order=False)


def to_csv(frame: "pd.DataFrame") -> str:
    """Return CSV with a header, times in ISO 8601.

    Text that a spreadsheet would take for a formula gets a leading apostrophe; control characters become escapes.
    """
    import pandas as pd  # noqa: PLC0415 - its import takes a second

    shown = frame.copy()
    for name in shown.columns:
        if isinstance(shown[name].dtype, pd.DatetimeTZDtype):
            shown[name] = shown[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        elif not pd.api.types.is_numeric_dtype(shown[name].dtype):
            cells = {text: _cell(text) for text in shown[name].dropna().unique()}
            shown[name] = shown[name].map(cells, na_action="ignore")
    return str(shown.to_csv(index=False, lineterminator="\n"))


def to_parquet(frame: "pd.DataFrame", path: Path) -> None:
    """Write the frame as Parquet.

    Raises ``UsageError`` where the optional pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        msg = "--format parquet: pyarrow is not installed"
        raise UsageError(msg, hint="pip install 'woolly-mcpdiag[parquet]', or use --format csv")
    frame.to_parquet(path, engine="pyarrow", index=False)


def _frame(rows: Iterable[Mapping[str, object]], columns: Mapping[str, Kind], *, order: bool) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - its import takes a second

    held = list(rows)
    data: dict[str, pd.Series] = {}
    for name, kind in columns.items():
        values = [row.get(name) for row in held]
        if kind == "time":
            data[name] = _positions(values) if order else _times(values)
        elif kind == "text":
            data[name] = pd.Series([None if value is None else str(value) for value in values], dtype="string")
        else:
            data[name] = pd.Series(values, dtype="Int64" if kind == "count" else "Float64")
    return pd.DataFrame(data, columns=list(columns))


def _times(values: list[object]) -> "pd.Series":
    import pandas as pd  # noqa: PLC0415 - as above

    micros = (pd.Series(values, dtype="Float64") * 1e6).round().astype("Int64")
    return pd.to_datetime(micros, unit="us", utc=True).astype("datetime64[us, UTC]")


def _positions(values: list[object]) -> "pd.Series":
    import pandas as pd  # noqa: PLC0415 - as above

    return pd.Series(values, dtype="Float64").round().astype("Int64")


def _cell(text: object) -> str:
    shown = printable(str(text))
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
