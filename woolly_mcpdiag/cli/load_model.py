"""The one place for when calls start, whose sessions they use and how long a step may take, from what was typed."""

from collections.abc import Sequence

from woolly_mcpdiag.cli.load_typed import Typed, choice, clash, idle
from woolly_mcpdiag.cli.quantities import rate, seconds, span, whole
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.load.plan import Limits, Model, Sessions, Stage

USERS = 5
DEMO_SECONDS, SECONDS, ROUND_SECONDS = 10.0, 30.0, 5.0
"""How long a load of the demo, of a target and of one round of a comparison lasts unless it is said."""
DESIGNS = ("naive", "shared", "per-call", "pooled")


def sessions(typed: Typed, clients: Sequence[str]) -> Sessions:
    """Return whose session a call uses."""
    designs = [name for name in clients if name in DESIGNS]
    if typed.sessions is None:
        return Sessions()
    if typed.url is None and typed.agent is not None:
        idle("--sessions", "the URL of an MCP server")
    policy, colon, size = typed.sessions.partition(":")
    if policy not in {"per-call", "per-worker", "shared", "pool"} or (colon and policy != "pool"):
        msg = f"--sessions {typed.sessions}: there is none of that name"
        raise UsageError(msg, hint="use per-call, per-worker, shared or pool:10")
    if policy == "pool" and not size:
        msg = "--sessions pool: its size is not said"
        raise UsageError(msg, hint="write --sessions pool:10")
    if designs and (policy != "pool" or designs != ["pooled"]):
        clash("--sessions", f"--client {designs[0]}", "the client decides about its sessions", "leave one out")
    found = Sessions(policy=policy)  # type: ignore[arg-type]  # one of the four, as checked above
    return Sessions(policy="pool", size=whole(size, "--sessions pool:", most=100_000)) if size else found


def limits(typed: Typed) -> Limits:
    """Return after how long a step has failed."""
    call = Limits().call if typed.timeout is None else seconds(typed.timeout, "--timeout")
    return Limits(
        call=call,
        connect=Limits().connect
        if typed.connect_timeout is None
        else seconds(typed.connect_timeout, "--connect-timeout"),
        event=Limits().event if typed.event_timeout is None else seconds(typed.event_timeout, "--event-timeout"),
        drain=min(call, Limits().drain),
    )


def model(typed: Typed, *, demo: bool, rounds: bool = False) -> Model:
    """Return when calls start; ``rounds``: clients take turns, and the length is that of one turn."""
    kind = "waves" if typed.waves is not None else "open" if typed.rate is not None or _is_open(typed) else "closed"
    _check_model(typed, kind)
    stages = _stages(typed, kind)
    requests = None if typed.requests is None else whole(typed.requests, "-n")
    duration = None if typed.duration is None else seconds(typed.duration, "-d")
    if duration is None and requests is None and not stages and kind != "waves":
        duration = ROUND_SECONDS if rounds else DEMO_SECONDS if demo else SECONDS
    warmup = 0.0 if typed.warmup is None else seconds(typed.warmup, "--warmup", zero=True)
    total = duration if duration is not None else sum(stage.duration for stage in stages) if stages else None
    if total is not None and warmup >= total:
        msg = f"--warmup {typed.warmup}: is not shorter than the whole load, {total:g} s"
        raise UsageError(msg, hint="raise -d or lower --warmup")
    return Model(
        kind=kind,  # type: ignore[arg-type]  # one of the three above
        concurrency=USERS if typed.concurrency is None else whole(typed.concurrency, "-c", most=100_000),
        requests=requests,
        duration=duration,
        rate=0.0 if typed.rate is None else rate(typed.rate, "--rate"),
        arrival=choice("--arrival", typed.arrival, ("constant", "poisson"), "constant"),
        max_in_flight=1000
        if typed.max_in_flight is None
        else whole(typed.max_in_flight, "--max-in-flight", most=100_000),
        stages=stages,
        waves=0 if typed.waves is None else whole(typed.waves, "--waves", most=1_000_000),
        calls_per_session=1
        if typed.calls_per_session is None
        else whole(typed.calls_per_session, "--calls-per-session"),
        think=(0.0, 0.0) if typed.think is None else span(typed.think, "--think"),
        warmup=warmup,
        seed=0 if typed.seed is None else whole(typed.seed, "--seed", least=0, most=2**63),
    )


def _is_open(typed: Typed) -> bool:
    return any("/" in text for text in typed.stages)


def _check_model(typed: Typed, kind: str) -> None:
    rated = "--rate" if typed.rate is not None else "--stage with a rate"
    clashes = {
        ("open", "-c"): (
            typed.concurrency,
            "arrivals come whether or not users are free",
            "cap them with --max-in-flight",
        ),
        ("open", "--think"): (typed.think, "arrivals have no user who could think", "leave --think out"),
        ("open", "--waves"): (typed.waves, "arrivals are either spread or together", "leave one of them out"),
        ("waves", "--rate"): (typed.rate, "arrivals are either spread or together", "leave one of them out"),
        ("waves", "--stage"): (typed.stages, "a wave has one size", "set it with -c"),
        ("waves", "-n"): (typed.requests, "the waves say how much is done", "set --waves, -c and --calls-per-session"),
        ("waves", "-d"): (typed.duration, "the waves say when it ends", "set --waves"),
        ("waves", "--sessions"): (typed.sessions, "each wave is a birth of new sessions", "leave --sessions out"),
        ("waves", "--warmup"): (typed.warmup, "waves are counted, not seconds", "leave --warmup out"),
    }
    for (of, option), (given, why, hint) in clashes.items():
        if of == kind and given:
            clash("--waves" if kind == "waves" else rated, option, why, hint)
    if typed.stages and typed.duration is not None:
        clash("--stage", "-d", "the stages say how long it lasts", "leave -d out")
    if typed.stages and typed.concurrency is not None:
        clash("--stage", "-c", "the stages say how many users there are", "leave -c out")
    if kind != "open":
        for option, given in (("--arrival", typed.arrival), ("--max-in-flight", typed.max_in_flight)):
            if given is not None:
                idle(option, "--rate")
    if kind != "waves" and typed.calls_per_session is not None:
        idle("--calls-per-session", "--waves")


def _stages(typed: Typed, kind: str) -> tuple[Stage, ...]:
    found = []
    for text in typed.stages:
        length, colon, target = text.partition(":")
        if not colon or not target.strip():
            msg = f"--stage {text}: has no target"
            raise UsageError(msg, hint="write --stage 30s:20 (users) or --stage 30s:20/s (arrivals a second)")
        duration = seconds(length, f"--stage {text}:", zero=True)
        if target.strip() in {"0", "0/s"}:
            goal = 0.0
        elif kind == "open":
            goal = rate(target, f"--stage {text}:")
        else:
            goal = float(whole(target, f"--stage {text}:", least=0, most=100_000))
        found.append(Stage(duration=duration, target=goal))
    if found and not any(stage.target for stage in found):
        msg = "--stage: every target is 0"
        raise UsageError(msg, hint="write --stage 30s:20")
    if found and not sum(stage.duration for stage in found):
        msg = "--stage: together they last no time"
        raise UsageError(msg, hint="write --stage 30s:20")
    return tuple(found)
