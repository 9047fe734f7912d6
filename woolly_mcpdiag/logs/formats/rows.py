"""The one place for structured records (JSON, logfmt): which key is time, level, logger, message, stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from woolly_mcpdiag.logs.batch import NO_TIME
from woolly_mcpdiag.logs.formats.access_rows import access_line, is_empty
from woolly_mcpdiag.logs.formats.format import LEVELS
from woolly_mcpdiag.logs.stamps import Stamp, Stamps, number

_TIMES = (
    "asctime",
    "timestamp",
    "time",
    "@timestamp",
    "ts",
    "t",
    "datetime",
    "date",
    "eventTime",
    "created",
    "time_iso8601",
    "time_local",
    "Timestamp",
    "@t",
    "TimeGenerated",
    "StartUTC",
)
_LEVELS = (
    "levelname",
    "level",
    "severity",
    "log.level",
    "lvl",
    "loglevel",
    "log_level",
    "level_name",
    "severity_text",
    "SeverityText",
    "@l",
    "Level",
)
_LOGGERS = ("logger", "name", "logger_name", "log.logger", "loggerName", "module_name", "SourceContext")
_MESSAGES = ("message", "msg", "event", "text", "textPayload", "log", "body", "short_message", "Body", "@m", "Message")
_STACKS = ("exc_info", "exception", "exc_text", "traceback", "stack_trace", "stack", "stack_info", "stacktrace")
_NUMBERS = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"), (0, "DEBUG"))
_PINO_LOGGERS = {"pid", "hostname"}
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class _Plan:
    time: str | None
    level: str | None
    logger: str | None
    message: str | None
    stacks: tuple[str, ...]
    pino: bool


@dataclass(slots=True)
class Row:
    """What a structured record says."""

    message: str
    time: int
    zoned: bool
    level: str
    logger: str
    stack: list[str]
    """The lines of its exception, empty where it has none."""
    fields: dict[str, object]
    bare: bool
    """True where it names neither level nor logger, so that its message may be a whole record in another format."""


class Rows:
    """Reads structured records; the roles of keys are decided once for each set of keys."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def read(self, row: dict[str, Any]) -> Row | None:
        """Return what a record says, ``None`` where the object is no log record. The object is used up."""
        keys = tuple(row)
        plan = self._plans.get(keys)
        if plan is None:
            if _flatten(row):
                keys = tuple(row)
            plan = self._plan(keys)
        line = access_line(row) if plan.message is None or is_empty(row[plan.message]) else None
        if plan.message is None and line is None:
            return None
        message = row.pop(plan.message) if plan.message else ""
        if line is not None:
            message = line
        if plan.message == "event" and not isinstance(message, str):
            return None
        time, zoned = self._time(row.pop(plan.time)) if plan.time else (NO_TIME, False)
        level = _level(row.pop(plan.level), pino=plan.pino) if plan.level else _by_status(row.get("status"))
        logger = _named(row.pop(plan.logger)) if plan.logger else ""
        stack = [line for key in plan.stacks for line in _lines(row.pop(key))] if plan.stacks else []
        return Row(
            message=message if isinstance(message, str) else str(message),
            time=time,
            zoned=zoned,
            level=level,
            logger=logger,
            stack=stack,
            fields=row,
            bare=not level and not logger and line is None,
        )

    def _plan(self, keys: tuple[str, ...]) -> _Plan:
        message = _first(_MESSAGES, keys)
        logger = _first(_LOGGERS, keys)
        plan = _Plan(
            time=_first(_TIMES, keys),
            level=_first(_LEVELS, keys),
            logger=logger,
            message=message,
            stacks=tuple(key for key in _STACKS if key in keys),
            pino=set(keys) >= _PINO_LOGGERS,
        )
        if len(self._plans) >= _REMEMBERED:
            self._plans.clear()
        if not _NESTED & set(keys):
            self._plans[keys] = plan
        return plan

    def _time(self, value: object) -> Stamp:
        if isinstance(value, str):
            found = self._stamps.text(value)
            if found[0] != NO_TIME:
                return found
            try:
                value = float(value)
            except ValueError:
                return NO_TIME, False
        if isinstance(value, dict):  # protobuf's way, of GCP's agents
            seconds, nanos = value.get("seconds"), value.get("nanos", 0)
            value = seconds + nanos / 1e9 if isinstance(seconds, int) and isinstance(nanos, int) else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return number(value), True
        return NO_TIME, False


def _named(logger: object) -> str:
    """Return the name of a logger, which may stand in an object of its own (``"logger": {"name": ...}``)."""
    if isinstance(logger, dict):
        logger = logger.get("name", "")
    return logger if isinstance(logger, str) else str(logger)


def _first(wanted: Iterable[str], keys: tuple[str, ...]) -> str | None:
    return next((key for key in wanted if key in keys), None)


_NESTED = {"record", "jsonPayload", "log", "error"}


def _flatten(row: dict[str, Any]) -> bool:
    """Lift the nested parts that loguru, GCP and ECS use to the top; return whether anything moved."""
    record, payload, log, error = (row.get(key) for key in ("record", "jsonPayload", "log", "error"))
    if isinstance(record, dict) and "message" in record:
        _lift_loguru(row, record)
    elif isinstance(payload, dict):
        del row["jsonPayload"]
        for key, value in payload.items():
            row.setdefault(key, value)
    elif isinstance(log, dict):
        del row["log"]
        row.update({f"log.{key}": value for key, value in log.items()})
    elif not isinstance(error, dict):
        return False
    if isinstance(error, dict) and "stack_trace" in error:
        row["stack_trace"] = error["stack_trace"]
    return True


def _lift_loguru(row: dict[str, Any], record: dict[str, Any]) -> None:
    """Replace a loguru row (``serialize=True``) by the fields of its nested record."""
    text = row.get("text")
    stack = text.partition("Traceback (most recent call last)") if isinstance(text, str) else ("", "", "")
    row.clear()
    row["message"] = record["message"]
    level, time, extra = record.get("level"), record.get("time"), record.get("extra")
    row["level"] = level.get("name") if isinstance(level, dict) else level
    row["name"] = record.get("name") or ""
    row["time"] = time.get("timestamp") if isinstance(time, dict) else time
    if stack[1] and record.get("exception"):
        row["exception"] = stack[1] + stack[2]
    if isinstance(extra, dict):
        for key, value in extra.items():
            row.setdefault(key, value)


def _level(value: object, *, pino: bool) -> str:
    if isinstance(value, str):
        known = LEVELS.get(value)
        if known is None:
            known = LEVELS.get(value.strip().lower(), value.strip().upper()[:20])
        return known
    if isinstance(value, int | float) and not isinstance(value, bool):
        number_ = value - 10 if pino else value  # pino and bunyan: info is 30, Python's is 20
        return next((level for least, level in _NUMBERS if number_ >= least), "DEBUG")
    return ""


def _by_status(value: object) -> str:
    """Return the level that Datadog's ``status`` names, "" where it is another status."""
    return LEVELS.get(value.lower(), "") if isinstance(value, str) else ""


def _lines(value: object) -> list[str]:
    if isinstance(value, str):
        return value.rstrip("\n").split("\n") if value else []
    if isinstance(value, list):
        return [line for item in value for line in _lines(item)]
    if isinstance(value, dict):
        return [line for item in value.values() for line in _lines(item)]
    return []
