"""The one list of how a call of a load can end, and the rule that says which it is."""

from typing import Literal, get_args

OutcomeKind = Literal[
    "ok",
    "http",
    "rpc",
    "tool-error",
    "agent-error",
    "timeout",
    "connect",
    "tls",
    "dns",
    "disconnect",
    "stream-cut",
    "protocol",
    "session",
    "pool",
    "refused-locally",
    "client",
]
"""http: status of 400 or above, or a redirect · rpc: JSON-RPC error · tool-error: a result with ``isError`` ·
agent-error: 2xx of the agents API with ``metadata.error`` or a failed stream · timeout: no whole answer within the
limit · connect, tls, dns: no connection · disconnect: it ended before the answer · stream-cut: an event stream ended
before the answer · protocol: an answer that is none (wrong id, no JSON, no endpoint event, wrong type) ·
session: the session could not be born · pool: no session was free in time · refused-locally: the client's breaker was
open · client: the client itself raised something else."""
OUTCOMES: tuple[str, ...] = get_args(OutcomeKind)
