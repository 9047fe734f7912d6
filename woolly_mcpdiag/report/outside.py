"""The one place for what to say where the time asked for has left out every event of the logs."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from woolly_mcpdiag.logs.batch import NO_TIME, Vocabulary
from woolly_mcpdiag.logs.inputs import Input
from woolly_mcpdiag.logs.read import Reading, Settings
from woolly_mcpdiag.report.model import NextStep, Report
from woolly_mcpdiag.report.wording import stamp


def tell_outside(
    report: Report, readings: Sequence[Reading], settings: Settings, stopped: Callable[[], bool] | None = None
) -> None:
    """Let the report say that nothing lies in the time asked for, and when the logs do run, if that is what happened.

    Files are read a second time for it; a stream cannot be.
    """
    left_out = [reading.input for reading in readings if reading.tally.outside]
    if not left_out:
        return
    report.verdict = f"Nothing in this log lies in the time asked for ({_asked(settings)})."
    files = [source for source in left_out if source.size is not None]
    if span := _whole_span(files, settings, stopped):
        first, last = (stamp(at, date=True) for at in span)
        report.verdict = f"{report.verdict[:-1]}: its events run from {first} to {last} UTC."
    names = " ".join(source.name for source in files)
    why = "the whole log, without --since and --until"
    report.next_steps = [NextStep(command=f"mcpdiag analyze-logs {names}", why=why)] if files else []


def _asked(settings: Settings) -> str:
    since, until = (None if at is None else stamp(at / 1e6, date=True) for at in (settings.since, settings.until))
    if since and until:
        return f"{since} to {until} UTC"
    return f"since {since} UTC" if since else f"until {until} UTC"


def _whole_span(
    inputs: Sequence[Input], settings: Settings, stopped: Callable[[], bool] | None
) -> tuple[float, float] | None:
    """Return the first and last time of files in seconds, ``None`` without times or where it was stopped."""
    whole = replace(settings, since=None, until=None)
    first, last = [], []
    for source in inputs:
        for batch in Reading(source, Vocabulary(), whole).batches():
            times = batch.time[batch.time != NO_TIME]
            if len(times):
                first.append(int(times.min()))
                last.append(int(times.max()))
            if stopped is not None and stopped():
                return None
    return (min(first) / 1e6, max(last) / 1e6) if first else None
