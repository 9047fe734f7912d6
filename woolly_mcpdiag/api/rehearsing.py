"""The one place that plays the outages of a gate: when the server goes and comes back, and what was made of it."""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, Self

from woolly_mcpdiag.api.logs import Options, analyze_logs
from woolly_mcpdiag.core.errors import McpdiagError
from woolly_mcpdiag.core.events import Event
from woolly_mcpdiag.gate.facts import LOGGING, OUTAGE
from woolly_mcpdiag.gate.profile import SceneSpec
from woolly_mcpdiag.load.plan import CallSpec, ClientKind, Limits, McpTarget, Model, Plan, Sessions
from woolly_mcpdiag.load.telling import LOGGER
from woolly_mcpdiag.rehearse.logged import reconciled, seen_of
from woolly_mcpdiag.rehearse.outage import Outage, outage_facts

USERS = 5
DEADLINE = 1.5
ATTEMPT = 0.5
"""Seconds for one attempt, where the client makes several."""
GRACE = 0.75
"""Seconds beyond its deadline after which a call is cut off and counts as hung."""
RECOVERY = 2.0
"""Seconds after its return within which a call must succeed."""
THINK = 0.05


class Outages(Protocol):
    """What stands before the server and can take it away."""

    @property
    def url(self) -> str:
        """In place of the server's own URL."""

    def away(self, how: Any) -> None:  # noqa: ANN401 - a name of the implementation's own
        """Take the server away: refused, blackhole, frozen or restart."""

    def back(self) -> None:
        """Let it be reached again."""


OutageFactory = Callable[[str], AbstractContextManager[Outages]]
"""Makes what stands before the server at a URL."""


def outage_plan(scene: SceneSpec, mcp: McpTarget, calls: tuple[CallSpec, ...], client: ClientKind) -> Plan:
    """Return the calls of a rehearsal: few users, one after the other, each call with its deadline."""
    safe = tuple(call for call in calls if call.idempotent) or calls
    return Plan(
        # Who asks must be in the log, so every call has a name.
        calls=tuple(call if call.agent else replace(call, agent="agent") for call in safe),
        mcp=mcp,
        client=client,
        scene=scene.name,
        source=scene.name,
        model=Model(kind="closed", concurrency=USERS, duration=scene.seconds, think=(THINK, THINK)),
        sessions=Sessions(policy="pool", size=USERS) if client == "pooled" else Sessions(policy="per-call"),
        limits=Limits(
            call=DEADLINE, attempt=ATTEMPT, connect=DEADLINE, event=DEADLINE, grace=GRACE, drain=DEADLINE + 2 * GRACE
        ),
        events_per_second=5000,
    )


class Rehearsals:
    """Plays the outages while their plans run. A context manager: what it starts ends with it."""

    def __init__(self, scenes: Mapping[str, SceneSpec], make: OutageFactory | None) -> None:
        self._scenes = {name: scene for name, scene in scenes.items() if scene.outage}
        self._make = make
        self._stack = ExitStack()
        self._outages: Outages | None = None
        self._folder: Path | None = None
        self._times: dict[str, list[float]] = {}
        self._lines: dict[str, list[str]] = {}

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mcpdiag-gate-")))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def plan(self, scene: SceneSpec, mcp: McpTarget, calls: tuple[CallSpec, ...], client: ClientKind) -> Plan | None:
        """Return the plan of an outage, through the proxy; ``None`` where nothing can take the server away."""
        if self._make is None or self._folder is None:
            return None
        if self._outages is None:
            self._outages = self._stack.enter_context(self._make(mcp.at.url))
        behind = replace(mcp, at=replace(mcp.at, url=self._outages.url))
        suffix = "jsonl" if client == "pooled" else "log"
        return replace(outage_plan(scene, behind, calls, client), log=str(self._folder / f"{scene.name}.{suffix}"))

    def tick(self, plan: Plan, elapsed: float) -> None:
        """Take the server away and let it come back when it is time."""
        scene = self._scenes.get(plan.scene)
        if scene is None or self._outages is None:
            return
        times = self._times.setdefault(scene.name, [])
        if not times and elapsed >= scene.steady:
            self._outages.away(scene.outage)
            times.append(_wall())
        elif len(times) == 1 and _wall() >= times[0] + scene.gone:
            self._outages.back()
            times.append(_wall())

    def idle(self, plan: Plan) -> bool:
        """Return whether the server is away, while callers wait and do nothing."""
        return len(self._times.get(plan.scene, ())) == 1

    def hear(self, plan: Plan, line: str) -> bool:
        """Keep what a rehearsal tells: it was brought about, and is no finding."""
        if plan.scene not in self._scenes:
            return False
        self._lines.setdefault(plan.scene, []).append(line)
        return True

    def facts(self, plan: Plan) -> Mapping[str, Any]:
        """Return what became of the calls of an outage, and what the client's own log tells of it."""
        if plan.scene not in self._scenes:
            return {}
        times = self._times.get(plan.scene, [])
        if self._outages is not None and len(times) == 1:
            self._outages.back()
        if len(times) < 2:
            return {}
        events = [Event.from_json(line) for line in self._lines.pop(plan.scene, [])]
        limits = plan.limits
        outage = Outage(
            away=times[0], back=times[1], deadline=limits.call, recovery_time=RECOVERY, attempt=limits.attempt
        )
        log = _read_back(Path(plan.log))
        return {
            "away": times[0],
            "back": times[1],
            OUTAGE: outage_facts(events, outage, LOGGER).to_row(),
            LOGGING: reconciled(seen_of(events, LOGGER), log).to_row(),
        }


def _wall() -> float:
    return datetime.now(UTC).timestamp()


def _read_back(log: Path) -> list[Event]:
    """Return what analyze-logs reads in the client's own log; nothing where there is none."""
    try:
        return analyze_logs([str(log)], Options(keep_events=True)).told()
    except McpdiagError:
        return []
