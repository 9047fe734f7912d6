"""Run logs made by hand, for the commands that read them."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.core.runs import Run, to_line


@pytest.fixture(scope="session")
def run_samples() -> ModuleType:
    spec = importlib.util.spec_from_file_location("runs", Path(__file__).parents[1] / "report" / "run_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Path]:
    """Write a run as its log would be, its events between its rows."""

    def write(run: Run, name: str = "run.jsonl", events: tuple[Event, ...] = ()) -> Path:
        rows = [run.meta, *run.intervals, *run.samples, *run.scenes, *run.judgements]
        lines = [to_line(row) for row in rows]
        lines[1:1] = [event.to_json() for event in events]
        lines += [to_line(run.end)] if run.end else []
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
        return path

    return write
