"""A restart in mid-run: every session is gone at one moment."""

from woolly_mcpdiag.demo.faults.fault import Fault, Show, whole
from woolly_mcpdiag.demo.plan import Plan, Stage


def apply(plan: Plan, value: str) -> None:
    """Restart after so many agent calls."""
    count = whole("restart", value)

    async def act(stage: Stage) -> None:
        await stage.calls(count)
        await stage.restart()
        stage.happened("restart")

    plan.acts.append(act)


FAULT = Fault(
    name="restart",
    what="after so many agent calls the server ends and starts again; its port never refuses",
    causes=("session.server-restarted", "session.lost", "session.idle-expired"),
    value="number of agent calls before it",
    default="10",
    upstream=False,
    apply=apply,
    show=lambda value: Show(calls=(int(value), 5), step="restart"),
    note="certain with the server's log (two starts); the client's log alone leaves idle expiry open",
)
