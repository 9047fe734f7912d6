"""The one place for the progress bar: on stderr, on a terminal, and only for work that lasts."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from woolly_mcpdiag.cli.screen import colour_allowed, is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from woolly_mcpdiag.api import Progress

DELAY = 1.0
"""Seconds of work before a bar is worth its lines."""
_NAME = 20
"""Characters of a file's name: the row fits 80 columns."""


class ProgressBar:
    """Shows how far the reading is, with its rate and the time that is left; silent where nobody looks."""

    def __init__(self, stream: TextIO, *, quiet: bool = False, clock: Callable[[], float] = perf_counter) -> None:
        self._stream, self._clock = stream, clock
        self._silent = quiet or not is_terminal(stream)
        self._started = clock()
        self._bar: RichProgress | None = None

    def __call__(self, progress: "Progress") -> None:
        """Take the news of the reading."""
        if self._silent or self._clock() - self._started < DELAY:
            return
        if self._bar is None:
            self._bar = _bar(self._stream)
            self._bar.add_task("", total=progress.total, note="")
            self._bar.start()
        self._bar.update(
            self._bar.task_ids[0],
            completed=progress.done,
            total=progress.total,
            description=Path(progress.source).name[-_NAME:],
            note=f"{progress.failures:,} failures",
        )

    def close(self) -> None:
        """Take the bar away; nothing of it stays on the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar(stream: TextIO) -> "RichProgress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TaskProgressColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(file=stream, no_color=not colour_allowed(stream)),
        transient=True,
        refresh_per_second=5,
    )
