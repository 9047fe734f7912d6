"""The one place that plays a gate: starts the demo where no target is named, looks at the targets, runs the scenes."""

import contextlib
import secrets
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from woolly_mcpdiag import __version__
from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.gate_order import GateOrder
from woolly_mcpdiag.cli.interrupt import Interrupt
from woolly_mcpdiag.cli.load_plans import DEMO_TOOLS, described, host
from woolly_mcpdiag.cli.load_targets import connection
from woolly_mcpdiag.core.runs import Meta
from woolly_mcpdiag.gate.profile import JUDGED, to_row

if TYPE_CHECKING:
    from woolly_mcpdiag.api.gate import Gated
    from woolly_mcpdiag.load.preflight import Found

POOLED = "woolly_mcpdiag.client.demo_adapter:pooled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """How much is shown, and how."""

    live: bool = True
    quiet: bool = False
    width: int | None = None
    verbose: bool = False


def play(order: GateOrder, log: Path | None, interrupt: Interrupt, show: Show) -> "Gated":
    """Run and judge; ``interrupt`` is asked whether to end early, and told where a line of its own would be in the way.

    Raises ``McpdiagError`` for a target that cannot be judged.
    """
    from woolly_mcpdiag.load import preflight

    with _targets(order, quiet=show.quiet) as aimed:
        found = preflight.look(_wanted(aimed))
        if not show.quiet:
            for text in found.notes:
                note(text)
        # Only now: this brings numpy, and a target that is away should be said at once.
        from woolly_mcpdiag.api.gate import Asked, Subject, gate
        from woolly_mcpdiag.cli.load_live import LoadView
        from woolly_mcpdiag.demo.outage import outage_process

        subject = Subject(
            mcp=found.mcp,
            calls=found.calls,
            agent=found.agent,
            runs=aimed.runs if found.agent is not None else (),
            client=aimed.client,
        )
        asked = Asked(profile=aimed.profile, thresholds=aimed.thresholds, known=aimed.known, events=log)
        ended = interrupt.asked
        view = LoadView(sys.stderr, quiet=show.quiet, live=show.live, width=show.width, stopping=ended)
        interrupt.silent = interrupt.silent or view.drawn
        try:
            return gate(subject, asked, _meta(aimed, found), outages=outage_process, on_state=view, stopped=ended)
        finally:
            view.close()
            interrupt.silent = interrupt.silent and not view.drawn


def play_both(order: GateOrder, log: Path | None, interrupt: Interrupt, show: Show) -> "tuple[Gated, Gated]":
    """Judge a client and the naive one; a target that both would call is called by one after the other.

    Where each has a demo of its own they run at the same time: the naive one mostly waits for what never comes.
    """
    naive = replace(order, client="naive")
    if not order.demo:
        other = play(naive, None, interrupt, show)
        return play(order, log, interrupt, show), other
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(play, naive, None, interrupt, replace(show, quiet=True))
        gated = play(order, log, interrupt, show)
        return gated, waiting.result()


@contextlib.contextmanager
def _targets(order: GateOrder, *, quiet: bool) -> Iterator[GateOrder]:
    """Yield the order with targets: those that are named, or the demo, which runs while the block does."""
    if not order.demo:
        yield order
        return
    from woolly_mcpdiag.demo.options import Options
    from woolly_mcpdiag.demo.process import demo_process

    options = Options(faults=order.typed.faults, client=_demo_client(order))
    with demo_process(options, pooled=POOLED if options.client == "pooled" else "") as demo:
        if not quiet:
            note("no target is named, so the demo is judged")
        mcp = connection(demo.mcp_url, order.typed)
        yield replace(order, mcp=mcp, agent=replace(mcp, url=demo.api_url))


def _demo_client(order: GateOrder) -> Any:  # noqa: ANN401 - the demo's own names
    return "plain" if order.client == "sdk" else order.client


def _wanted(order: GateOrder) -> Any:  # noqa: ANN401 - ``preflight.Wanted``, which is imported late
    from woolly_mcpdiag.load.preflight import Wanted

    return Wanted(
        mcp=order.mcp,
        era="handshake" if order.demo else "auto",
        tools=order.tools,
        allow=order.typed.allow,
        prefer=DEMO_TOOLS if order.demo else (),
        agent=order.agent,
        runs=order.runs if order.agent is not None else (),
    )


def _meta(order: GateOrder, found: "Found") -> Meta:
    return Meta(
        run=secrets.token_hex(6),
        command="gate",
        version=__version__,
        started=datetime.now(UTC).timestamp(),
        targets=tuple(described(found, runs="wire", calls=order.client, demo=order.demo)),
        workload={
            "model": "waves",
            "client": order.client,
            "clients": [order.client],
            "profile": order.profile.name,
            "confidence": order.profile.confidence,
            "claim": order.profile.claim,
            JUDGED: to_row(order.profile),
        },
        host=host(),
        thresholds=tuple(threshold.text for threshold in order.thresholds),
    )
