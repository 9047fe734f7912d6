"""The one table of framings: what container runtimes, log collectors and journals put before (or around) a line."""

from dataclasses import dataclass, field

from woolly_mcpdiag.logs.formats.format import STAMP, UPPER, Matcher, compiled

_NANO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
_DATED = r"\d{4}-\d\d-\d\d[T ]\d\d:"
_TEXT = "(?P<text>.*)"
_IDENT = r"(?P<service>[^\s:\[\]]{1,100})"
_POD = r"[a-z0-9](?:[-a-z0-9.]{0,240})-(?:[bcdfghjklmnpqrstvwxz2456789]{5}|\d{1,4})"
_STAMPED = "2026-11-22T14:44:21.778123456Z"
_INNER = "INFO:httpx:x"


@dataclass(frozen=True, slots=True, kw_only=True)
class FramedSample:
    """A framed line and what must be read in it."""

    line: str
    text: str = _INNER
    service: str = ""
    time: str = ""
    """The outer stamp as it stands in the line."""


@dataclass(slots=True, kw_only=True, eq=False)
class Framing:
    """One way of framing a line."""

    name: str
    starts: str
    """Classes of first characters, as for record formats, with < for a syslog priority."""
    pattern: str
    """Groups ``service``, ``time``, ``part`` (CRI), ``text``; each may be absent but the last."""
    samples: tuple[FramedSample, ...]
    weak: bool = False
    """True where prose can look like it: then it counts only if a known record format follows."""
    match: Matcher = field(init=False, repr=False)
    order: tuple[int, ...] = field(init=False, repr=False)
    """The numbers of the groups service, time, part, text."""

    def __getattr__(self, name: str) -> object:
        """Compile the pattern when ``match`` or ``order`` is first asked for."""
        if name not in {"match", "order"}:
            raise AttributeError(name)
        self.match, self.order = compiled(self.pattern, ("service", "time", "part", "text"))
        return getattr(self, name)


def _sample(line: str, service: str = "", time: str = "", text: str = _INNER) -> FramedSample:
    return FramedSample(line=line, service=service, time=time, text=text)


FRAMINGS: tuple[Framing, ...] = (
    Framing(
        name="compose",
        starts="aAD",
        pattern=(
            rf"(?!{UPPER} )(?P<service>[A-Za-z_](?:[\w.\-]{{0,100}}[-_]\d{{1,4}} *|[\w.\-]{{0,100}} ) )"
            rf"\|(?: {_TEXT}|\Z)"
        ),
        samples=(
            _sample("api-1  | INFO:httpx:x", "api-1"),
            _sample("mcp-server  | INFO:httpx:x", "mcp-server"),
            _sample("api_1 | INFO:httpx:x", "api_1"),
            _sample("api-1  |   File x", "api-1", text="  File x"),
        ),
    ),
    Framing(
        name="cri",
        starts="0",
        pattern=rf"(?P<time>{_NANO}(?:\.\d{{1,9}})?{_OFFSET}) (?:stdout|stderr) (?P<part>[FP])(?::\w+)?(?: {_TEXT}|\Z)",
        samples=(_sample(f"{_STAMPED} stderr F INFO:httpx:x", time=_STAMPED),),
    ),
    Framing(
        name="timestamps",
        starts="0",
        pattern=rf"(?P<time>{_NANO}\.\d{{7,9}}{_OFFSET})(?: (?!(?:stdout|stderr) [FP][ :]){_TEXT}|\Z)",
        samples=(_sample(f"{_STAMPED} INFO:httpx:x", time=_STAMPED),),
    ),
    Framing(
        name="cloudwatch",
        starts="0",
        pattern=rf"(?P<time>{_NANO}(?:\.\d{{1,6}})?{_OFFSET})[ \t](?P<text>(?:\[[A-Z]+\]\t)?{_DATED}.*)",
        samples=(
            _sample(
                "2026-11-22T14:44:21.778Z\t2026-11-22T14:44:21.777Z INFO httpx x",
                time="2026-11-22T14:44:21.778Z",
                text="2026-11-22T14:44:21.777Z INFO httpx x",
            ),
        ),
    ),
    Framing(
        name="pm2",
        starts="0",
        pattern=rf"\d{{1,4}}\|(?P<service>[\w.\-]{{1,100}}) *\|"
        rf"(?: (?P<time>(?:{STAMP}(?=: ))?)(?:(?<=\w): )?{_TEXT}|\Z)",
        samples=(
            _sample("0|api  | INFO:httpx:x", "api"),
            _sample("0|api  | 2026-11-22 14:44:21: INFO:httpx:x", "api", "2026-11-22 14:44:21"),
        ),
    ),
    Framing(
        name="kubectl-prefix",
        starts="[",
        pattern=rf"\[pod/(?P<service>[^\s\]]{{1,300}})\](?: {_TEXT}|\Z)",
        samples=(_sample("[pod/api-7c9d8b6f5-x2x4z/api] INFO:httpx:x", "api-7c9d8b6f5-x2x4z/api"),),
    ),
    Framing(
        name="stern",
        starts="a0",
        weak=True,
        pattern=rf"(?P<service>{_POD} [a-z0-9][-a-z0-9]{{0,62}}) {_TEXT}",
        samples=(_sample("api-7c9d8b6f5-x2x4z api INFO:httpx:x", "api-7c9d8b6f5-x2x4z/api"),),
    ),
    Framing(
        name="journald-short",
        starts="AD",
        pattern=(
            r"(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) [^\s:]{1,100} "
            rf"{_IDENT}(?:\[\d{{1,9}}\])?:(?: {_TEXT}|\Z)"
        ),
        samples=(
            _sample("Nov 22 14:47:08 agents-host api[17364]: INFO:httpx:x", "api", "Nov 22 14:47:08"),
            _sample("Nov  2 14:47:08.123456 agents-host api[17364]: INFO:httpx:x", "api", "Nov  2 14:47:08.123456"),
            _sample("Nov 22 14:47:08 agents-host kernel: INFO:httpx:x", "kernel", "Nov 22 14:47:08"),
        ),
    ),
    Framing(
        name="journald-iso",
        starts="0",
        pattern=rf"(?P<time>{_NANO}(?:\.\d{{1,6}})?{_OFFSET}) [^\s:\[]{{1,100}} {_IDENT}\[\d{{1,9}}\]:(?: {_TEXT}|\Z)",
        samples=(
            _sample("2026-11-22T14:47:08+0000 agents-host api[17364]: INFO:httpx:x", "api", "2026-11-22T14:47:08+0000"),
        ),
    ),
    Framing(
        name="journald-full",
        starts="AD",
        pattern=(
            r"(?P<time>[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})? [A-Z]{3,5}) [^\s:]{1,100} "
            rf"{_IDENT}(?:\[\d{{1,9}}\])?:(?: {_TEXT}|\Z)"
        ),
        samples=(
            _sample(
                "Sun 2026-11-22 14:47:08 UTC agents-host api[17364]: INFO:httpx:x", "api", "Sun 2026-11-22 14:47:08 UTC"
            ),
        ),
    ),
    Framing(
        name="heroku",
        starts="0",
        pattern=(
            rf"(?P<time>{_NANO}(?:\.\d{{1,6}})?{_OFFSET}) "
            rf"(?P<service>\w{{1,60}}\[[\w.\-]{{1,100}}\]):(?: {_TEXT}|\Z)"
        ),
        samples=(
            _sample(
                "2026-11-22T14:47:08.123456+00:00 app[web.1]: INFO:httpx:x", "web.1", "2026-11-22T14:47:08.123456+00:00"
            ),
        ),
    ),
    Framing(
        name="syslog-3164",
        starts="<",
        pattern=(
            r"<\d{1,3}>(?P<time>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) [^\s:]{1,100} "
            rf"{_IDENT}(?:\[\d{{1,9}}\])?:(?: {_TEXT}|\Z)"
        ),
        samples=(_sample("<34>Nov 22 14:47:08 host api[7]: INFO:httpx:x", "api", "Nov 22 14:47:08"),),
    ),
    Framing(
        name="syslog-5424",
        starts="<",
        pattern=(
            rf"<\d{{1,3}}>1 (?P<time>{_NANO}(?:\.\d{{1,6}})?{_OFFSET}|-) \S{{1,255}} (?P<service>\S{{1,48}}) "
            r"\S{1,128} \S{1,32} (?:-|(?:\[[^\]]{0,2000}\])+)(?: (?:\ufeff)?(?P<text>.*)|\Z)"
        ),
        samples=(
            _sample(
                '<165>1 2026-11-22T14:47:08.003Z host api 7 ID47 [x@1 a="b"] INFO:httpx:x',
                "api",
                "2026-11-22T14:47:08.003Z",
            ),
        ),
    ),
)


def framings_of(first: str) -> tuple[Framing, ...]:
    """Return the framings a line can have by the class of its first character."""
    return _BY_START.get(first, ())


_BY_START = {start: tuple(one for one in FRAMINGS if start in one.starts) for start in "0[ADa<"}


def label(service: str) -> str:
    """Return a service as it is named to the user: without padding, ``app[web.1]`` as web.1, pod/container."""
    service = service.rstrip()
    if service.endswith("]") and "[" in service:
        return service[service.index("[") + 1 : -1]
    return service.replace(" ", "/")
