"""The one place for what a server asks and tells its client during a call: who answers, and how it gets there."""

from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from mcp.client.session import ClientRequestContext, ElicitationFnT, ListRootsFnT, LoggingFnT, SamplingFnT
from mcp.shared.dispatcher import ProgressFnT
from mcp_types import (
    INVALID_REQUEST,
    CreateMessageRequestParams,
    CreateMessageResult,
    CreateMessageResultWithTools,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    ListRootsResult,
    LoggingMessageNotificationParams,
)

Offer = Literal["sampling", "elicitation", "roots"]
"""What a server may ask for; a session says at its start which of them it offers."""
OFFERS: tuple[Offer, ...] = ("sampling", "elicitation", "roots")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who answers the server while it works on one call, and is told how far it is; all are the SDK's callbacks."""

    sampling: SamplingFnT | None = None
    elicitation: ElicitationFnT | None = None
    roots: ListRootsFnT | None = None
    log: LoggingFnT | None = None
    progress: ProgressFnT | None = None


PEER: ContextVar[Peer | None] = ContextVar("mcpdiag_peer", default=None)
"""Of the call that this task works for; in the modern era the SDK asks within that call."""


def routed(offers: Collection[Offer], given: Mapping[str, Any], holder: Callable[[], Peer | None]) -> dict[str, Any]:
    """Return the callbacks of a session: each asks whose call it is, else what was ``given`` for all calls.

    ``holder`` is who has the session on loan: in the handshake era a session does not say for which call it asks.
    """

    def peer() -> Peer | None:
        return PEER.get() or holder()

    async def sampling(
        context: ClientRequestContext, params: CreateMessageRequestParams
    ) -> CreateMessageResult | CreateMessageResultWithTools | ErrorData:
        mine: SamplingFnT | None = _first(peer(), "sampling", given.get("sampling_callback"))
        return await mine(context, params) if mine else _not_offered("sampling")

    async def elicitation(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        mine: ElicitationFnT | None = _first(peer(), "elicitation", given.get("elicitation_callback"))
        return await mine(context, params) if mine else _not_offered("elicitation")

    async def roots(context: ClientRequestContext) -> ListRootsResult | ErrorData:
        mine: ListRootsFnT | None = _first(peer(), "roots", given.get("list_roots_callback"))
        return await mine(context) if mine else _not_offered("roots")

    async def log(params: LoggingMessageNotificationParams) -> None:
        mine: LoggingFnT | None = _first(peer(), "log", given.get("logging_callback"))
        if mine:
            await mine(params)

    asked = {"sampling": sampling, "elicitation": elicitation, "roots": roots}
    names = {"sampling": "sampling_callback", "elicitation": "elicitation_callback", "roots": "list_roots_callback"}
    return {"logging_callback": log, **{names[offer]: asked[offer] for offer in OFFERS if offer in offers}}


def _first(peer: Peer | None, name: str, given: Any) -> Any:  # noqa: ANN401 - one of the SDK's callbacks
    return (getattr(peer, name) if peer is not None else None) or given


def _not_offered(what: str) -> ErrorData:
    return ErrorData(code=INVALID_REQUEST, message=f"{what}: nobody offers it for this call")
