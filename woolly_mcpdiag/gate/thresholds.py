"""The one place for the language of thresholds: ``[level:] metric[{tag:value}] [aggregate] op value [| option, …]``.

The spellings of k6 are taken as well: ``http_req_duration: p(95)<1000``, ``checks: rate==1.0``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.core.verdicts import Level
from woolly_mcpdiag.gate import metrics
from woolly_mcpdiag.gate.metrics import Metric
from woolly_mcpdiag.gate.wording import did_you_mean

Operator = Literal["<", "<=", ">", ">=", "==", "!="]
Sense = Literal["zero", "share", "count", "pace", "quantile", "level", "relative"]
Over = Literal["request", "wave", "session", "agent"]

_OVER: tuple[Over, ...] = ("request", "wave", "session", "agent")
_OPTIONS = ("per", "claim", "over", "min", "conf", "abort", "vs")
_QUANTILE = re.compile(r"p\(?(\d{1,2}(?:\.\d+)?)\)?\Z")
_HEAD = re.compile(
    r"""\s*(?:(?P<level>error|warn)\s*:)?
    \s*(?P<metric>[A-Za-z_][\w.\-]*(?:\([\d.]+\))?)
    \s*(?P<tags>\{[^{}]*\})?
    \s*:?
    \s*(?P<aggregate>[A-Za-z][A-Za-z0-9.]*(?:\([\d.]+\))?)?
    \s*(?P<op><=|>=|==|!=|<|>|=)
    \s*(?P<value>[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    \s*(?P<unit>[A-Za-zµ%/]*)\s*\Z""",
    re.VERBOSE,
)
_SECONDS = {"": 0.001, "us": 1e-6, "µs": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One condition, parsed."""

    text: str
    """As it was written."""
    metric: Metric
    sense: Sense
    """How it is judged: *zero* none may happen; *share* a rate of tries; *count* a number; *pace* a number a second;
    *quantile* a percentile; *level* avg, min or max; *relative* against a baseline."""
    op: Operator
    value: float
    """Seconds, a rate from 0 to 1, a number, or a number a second."""
    aggregate: str = ""
    """``p95``, ``avg``, ``min``, ``max``, ``count``, ``rate``."""
    unit: Literal["", "s", "share", "/s", "points"] = ""
    tags: tuple[tuple[str, str], ...] = ()
    level: Level = "error"
    per: str = ""
    claim: float | None = None
    over: Over | None = None
    least: int = 0
    """Tries below which nothing is judged."""
    confidence: float | None = None
    abort: bool = False
    relative: bool = False

    @property
    def quantile(self) -> float:
        """From 0 to 1; only where ``sense`` is quantile (or relative to one)."""
        return round(float(self.aggregate[1:]) / 100, 12)

    @property
    def limit(self) -> str:
        """What is asked for, as it was written: ``< 1s``."""
        head = self.text.partition("|")[0]
        return head[head.rindex(self.op) :].strip() if self.op in head else head.strip()


def parse_all(texts: Iterable[str]) -> tuple[Threshold, ...]:
    """Return the thresholds in their order.

    Raises ``UsageError`` for one that cannot be read, with the nearest name for a metric, tag, aggregate, unit or
    option that is unknown.
    """
    return tuple(parse(text) for text in texts)


def parse(text: str) -> Threshold:
    """Return one threshold; see ``parse_all``."""
    head, *options = text.split("|")
    found = _HEAD.match(head)
    if found is None:
        raise _wrong(text, "cannot be read", "write METRIC OP VALUE, such as: http_400 == 0, or: p95 < 1s")
    name, aggregate = found["metric"], found["aggregate"] or ""
    if not aggregate and (_QUANTILE.match(name) or name in {"avg", "med", "mean", "min", "max"}):
        name, aggregate = "duration", name
    name, prefixed = _of_outage(name)
    metric = _metric(text, name)
    tags = prefixed + _implied(found["metric"]) + _tags(text, metric, found["tags"] or "")
    if found["op"] == "=":
        raise _wrong(text, "= is no comparison", "write ==")
    parts = _Parts(text, metric, _aggregate(text, metric, aggregate), found["op"], found["value"], found["unit"])
    relative = any(option.split() == ["vs", "baseline"] for part in options for option in part.split(","))
    threshold = _made(parts, tags, relative=relative)
    if not threshold.relative and (threshold.op, threshold.value) in _never(threshold.metric):
        raise _wrong(
            text, f"nothing is ever {threshold.op} {found['value']}{found['unit']}", "write == or another limit"
        )
    threshold = replace(threshold, level="warn" if found["level"] == "warn" else "error")
    for part in options:
        for option in part.split(","):
            threshold = _with_option(threshold, option.split())
    return threshold


@dataclass(frozen=True, slots=True)
class _Parts:
    text: str
    metric: Metric
    aggregate: str
    op: str
    value: str
    unit: str


def _wrong(text: str, fact: str, hint: str = "") -> UsageError:
    return UsageError(f"threshold {text.strip()!r}: {fact}", hint)


def _of_outage(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    if name.startswith("outage."):
        return name.removeprefix("outage."), (("scene", "outage-*"),)
    return name, ()


def _never(metric: Metric) -> set[tuple[str, float]]:
    return {("<", 0.0), (">", 1.0)} if metric.kind == "rate" else {("<", 0.0)}


def _implied(name: str) -> tuple[tuple[str, str], ...]:
    return (("peer", "agent"),) if name == "agent_runs" else ()


def _metric(text: str, name: str) -> Metric:
    known = metrics.metrics()
    name = metrics.ALIASES.get(name, name)
    if name not in known:
        near = did_you_mean(name, [*known, *metrics.ALIASES], "metrics")
        raise _wrong(text, f"there is no metric {name}", near)
    return known[name]


def _tags(text: str, metric: Metric, braces: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in filter(None, (each.strip() for each in braces.strip("{}").split(","))):
        tag, colon, value = (each.strip() for each in part.partition(":"))
        if not colon or not value:
            raise _wrong(text, f"{part} is no tag", "write {tag:value}, such as {status:400}")
        tag = _tag(text, metric, tag)
        if any(tag == other for other, _ in found):
            raise _wrong(text, f"{tag} is given twice", "a pattern matches several: {agent:s*}")
        found.append((tag, _tag_value(text, tag, value.strip("\"'"))))
    return tuple(found)


def _tag(text: str, metric: Metric, tag: str) -> str:
    tag = metrics.TAG_ALIASES.get(tag, tag)
    if tag not in metric.tags:
        hint = did_you_mean(tag, metric.tags, f"tags of {metric.name}")
        raise _wrong(text, f"{metric.name} has no tag {tag}", hint)
    return tag


def _tag_value(text: str, tag: str, value: str) -> str:
    if tag == "status" and not re.fullmatch(r"[1-5](\d\d|xx)|0", value):
        raise _wrong(text, f"{value} is no HTTP status", "write a number such as 400, or a class such as 4xx")
    if tag == "code" and not re.fullmatch(r"-?\d+", value):
        raise _wrong(text, f"{value} is no JSON-RPC code", "write a number such as -32602")
    names = {"kind": metrics.OUTCOMES, "peer": metrics.PEERS}.get(tag, ())
    value = metrics.KIND_ALIASES.get(value, value) if tag == "kind" else value
    if names and value not in names:
        raise _wrong(text, f"there is no {tag} {value}", did_you_mean(value, names, f"values of {tag}"))
    return value


def _aggregate(text: str, metric: Metric, name: str) -> str:
    percentile = _QUANTILE.match(name)
    if metric.kind == "duration":
        if percentile and float(percentile[1]) > 0:
            return f"p{float(percentile[1]):g}"
        plain = {"avg": "avg", "mean": "avg", "med": "p50", "min": "min", "max": "max"}.get(name)
        if plain:
            return plain
        fact = f"there is no {name} of a duration" if name else "a duration needs an aggregate"
        raise _wrong(text, fact, "aggregates: p50, p95, p99.9, avg, med, min, max")
    if not name:
        return ""
    if name not in metric.aggregates:
        raise _wrong(text, f"there is no {name} of {metric.name}", did_you_mean(name, metric.aggregates, "aggregates"))
    return name


def _made(parts: _Parts, tags: tuple[tuple[str, str], ...], *, relative: bool) -> Threshold:
    value = float(parts.value.replace("_", ""))
    if relative:
        return _against(parts, tags, value)
    if value < 0 or parts.value.startswith("+"):
        raise _wrong(parts.text, f"{parts.value} is no limit", "signs are for: … | vs baseline")
    if parts.metric.kind == "duration":
        return _timed(parts, tags, value)
    return _numbered(parts, tags, value)


def _timed(parts: _Parts, tags: tuple[tuple[str, str], ...], value: float) -> Threshold:
    if parts.unit not in _SECONDS:
        raise _wrong(parts.text, f"{parts.unit} is no unit of time", "units: us, ms, s, m; a bare number is ms")
    if parts.op in {"==", "!="}:
        raise _wrong(parts.text, f"a duration is never {parts.op} a figure", "compare with < or >")
    return Threshold(
        text=parts.text.strip(),
        metric=parts.metric,
        sense="quantile" if parts.aggregate.startswith("p") else "level",
        op=_operator(parts),
        value=value * _SECONDS[parts.unit],
        aggregate=parts.aggregate,
        unit="s",
        tags=tags,
    )


def _numbered(parts: _Parts, tags: tuple[tuple[str, str], ...], value: float) -> Threshold:
    metric = parts.metric
    if parts.unit not in {"", "%", "/s"}:
        raise _wrong(parts.text, f"{parts.unit} is no unit of {metric.name}", "units: % and /s, or a bare number")
    if metric.name == "http_reqs" and any(tag == "status" for tag, _ in tags):
        metric = replace(metric, bad=True)
    share = metric.kind == "rate" or parts.unit == "%"
    if parts.unit == "/s" and metric.kind == "rate":
        raise _wrong(parts.text, f"{metric.name} is a share, not a pace", "write a rate such as 99%")
    if share and not metric.bad:
        raise _wrong(parts.text, f"{metric.name} is no share of anything", "write a number, or a number with /s")
    if parts.aggregate == "rate" and metric.bad and metric.kind == "count" and not parts.unit:
        raise _wrong(parts.text, f"{parts.value} has no unit", f"write {value * 100:g}% or {value:g}/s")
    value = value / 100 if parts.unit == "%" else value
    if share and value > 1:
        raise _wrong(parts.text, f"{parts.value}{parts.unit} is more than everything", "write a rate such as 99%")
    paced = parts.unit == "/s" or (parts.aggregate == "rate" and not share)
    found = Threshold(
        text=parts.text.strip(),
        metric=metric,
        sense="share" if share else "pace" if paced else "count",
        op=_operator(parts),
        value=value,
        aggregate=parts.aggregate or ("rate" if share or paced else "count"),
        unit="share" if share else "/s" if paced else "",
        tags=tags,
    )
    if share and found.op in {"==", "!="} and value != (1 if metric.inverted else 0):
        raise _wrong(
            parts.text, f"a measured share is never {found.op} {parts.value}{parts.unit}", "compare with < or >"
        )
    return replace(found, sense="zero") if _is_zero(found) else found


def _is_zero(found: Threshold) -> bool:
    if not found.metric.bad or found.sense == "pace":
        return False
    if found.metric.inverted:
        return found.value == 1 and found.op in {"==", ">="}
    least = found.sense == "count" and found.op == "<" and 0 < found.value <= 1
    return least or (found.value == 0 and found.op in {"==", "<="})


def _against(parts: _Parts, tags: tuple[tuple[str, str], ...], value: float) -> Threshold:
    metric = parts.metric
    if parts.op not in {"<", "<=", ">", ">="}:
        raise _wrong(parts.text, f"a difference is never {parts.op} a figure", "compare with < or >")
    if parts.value[0] not in "+-":
        raise _wrong(parts.text, f"{parts.value}{parts.unit} needs a sign", "write how much more or less: < +20%")
    if metric.kind == "duration":
        if parts.aggregate in {"min", "max", "avg"}:
            raise _wrong(parts.text, f"there is no test for the {parts.aggregate} of two runs", "compare p50 or p95")
        wanted = {"%": ("", 0.01), **{unit: ("s", scale) for unit, scale in _SECONDS.items() if unit}}
    elif metric.bad:
        wanted = {"pp": ("points", 0.01)}
    else:
        wanted = {"%": ("", 0.01)}
    if parts.unit not in wanted:
        raise _wrong(parts.text, f"{parts.unit or 'a bare number'} is no unit here", f"units: {', '.join(wanted)}")
    unit, scale = wanted[parts.unit]
    return Threshold(
        text=parts.text.strip(),
        metric=metric,
        sense="relative",
        op=_operator(parts),
        value=value * scale,
        aggregate=parts.aggregate or "rate",
        unit="points" if unit == "points" else "s" if unit == "s" else "",
        tags=tags,
        relative=True,
    )


def _operator(parts: _Parts) -> Operator:
    known: dict[str, Operator] = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "==", "!=": "!="}
    return known[parts.op]


def _with_option(found: Threshold, words: list[str]) -> Threshold:
    if not words:
        raise _wrong(found.text, "an option is missing after | or ,", f"options: {', '.join(_OPTIONS)}")
    name, value = words[0], " ".join(words[1:])
    if name not in _OPTIONS:
        raise _wrong(found.text, f"there is no option {name}", did_you_mean(name, _OPTIONS, "options"))
    if bool(value) == (name == "abort"):
        raise _wrong(found.text, f"{name} {'takes no value' if value else 'needs a value'}")
    match name:
        case "per":
            return _with_per(found, value)
        case "claim":
            return replace(found, claim=_rate(found, name, value))
        case "conf":
            return replace(found, confidence=_rate(found, name, value if value.endswith("%") else _as_percent(value)))
        case "over":
            return _with_over(found, value)
        case "min":
            if not value.isdigit():
                raise _wrong(found.text, f"min {value} is no number", "write a whole number of tries")
            return replace(found, least=int(value))
        case "vs":
            if value != "baseline":
                raise _wrong(found.text, f"vs {value} means nothing", "write: vs baseline")
            return found
        case _:
            return replace(found, abort=True)


def _with_per(found: Threshold, value: str) -> Threshold:
    tag = _tag(found.text, found.metric, value)
    if any(tag == fixed for fixed, _ in found.tags):
        raise _wrong(found.text, f"{tag} is fixed and split at once", f"leave out per {value}, or the tag")
    return replace(found, per=tag)


def _with_over(found: Threshold, value: str) -> Threshold:
    over = next((each for each in _OVER if each in {value, value.removesuffix("s")}), None)
    if over is None:
        raise _wrong(found.text, f"over {value}: no such unit", did_you_mean(value, _OVER, "units"))
    if over != "agent":
        return replace(found, over=over)
    if "peer" not in found.metric.tags:
        raise _wrong(found.text, f"{found.metric.name} is not counted over agents", "leave out over agent")
    return replace(found, over=over, tags=(*found.tags, ("peer", "agent")))


def _as_percent(value: str) -> str:
    try:
        return f"{value}%" if float(value) > 1 else value
    except ValueError:
        return value


def _rate(found: Threshold, name: str, value: str) -> float:
    try:
        rate = float(value.removesuffix("%").strip()) / (100 if value.endswith("%") else 1)
    except ValueError:
        rate = -1.0
    if not 0 < rate < 1:
        raise _wrong(found.text, f"{name} {value} is no rate between 0% and 100%", f"write such as: {name} 1%")
    return rate
