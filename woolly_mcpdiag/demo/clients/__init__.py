"""The designs of an agents backend's MCP client, side by side, so that before and after can be compared."""

from collections.abc import Callable

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.clients.contract import AgentClient, Wiring
from woolly_mcpdiag.demo.plan import ClientName

Factory = Callable[[Wiring], AgentClient]


def not_given() -> UsageError:
    """Return what is raised where the pooled client is asked for and nothing makes one."""
    msg = "client pooled: nobody said what makes it"
    return UsageError(msg, hint="hand in pooled=, or use shared, per-call, plain or naive")


def build(name: ClientName, wiring: Wiring, pooled: Factory | None = None) -> AgentClient:
    """Return a client. ``pooled`` makes the one that is not part of the demo.

    Raises ``UsageError`` where "pooled" is asked for and there is none.
    """
    if name == "pooled":
        if pooled is None:
            raise not_given()
        return pooled(wiring)
    if name == "naive":
        from woolly_mcpdiag.demo.clients.naive import NaiveClient as Made  # noqa: PLC0415 - each loads its own library
    elif name == "plain":
        from woolly_mcpdiag.demo.clients.plain import PlainClient as Made  # type: ignore[assignment]  # noqa: PLC0415
    elif name == "per-call":
        from woolly_mcpdiag.demo.clients.per_call import PerCallClient as Made  # type: ignore[assignment]  # noqa: PLC0415
    else:
        from woolly_mcpdiag.demo.clients.shared import SharedClient as Made  # type: ignore[assignment]  # noqa: PLC0415
    return Made(wiring)
