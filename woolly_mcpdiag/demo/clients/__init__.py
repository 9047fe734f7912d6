"""The designs of an agents backend's MCP client, side by side, so that before and after can be compared."""

from collections.abc import Callable

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.clients.contract import AgentClient, Wiring
from woolly_mcpdiag.demo.plan import ClientName

Factory = Callable[[Wiring], AgentClient]


def build(name: ClientName, wiring: Wiring, pooled: Factory | None = None) -> AgentClient:
    """Return a client. ``pooled`` makes the one that is not part of the demo.

    Raises ``UsageError`` where "pooled" is asked for and there is none.
    """
    if name == "pooled":
        if pooled is None:
            msg = "client pooled: not part of this version"
            raise UsageError(msg, hint="use shared, per-call, plain or naive")
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
