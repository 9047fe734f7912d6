"""The one place where the calls of a plan become bytes: texts filled in, parameters stamped, heads made."""

from collections.abc import Mapping
from typing import Any

from woolly_mcpdiag.load.contract import Share
from woolly_mcpdiag.load.engine import rpc
from woolly_mcpdiag.load.plan import CallSpec, Plan
from woolly_mcpdiag.load.templates import asked, filled, filled_body, values

_OPENED = b'{"jsonrpc":"2.0","id":'
"""What stands before the number of a request."""
_TOOL = "tools/call"


class Call:
    """A kind of call, ready to be sent."""

    def __init__(self, plan: Plan, share: Share, index: int) -> None:
        spec = plan.calls[index]
        self.spec: CallSpec = spec
        self.index = index
        self.kind = spec.kind
        self.method = spec.method
        self.modern = plan.mcp is not None and plan.mcp.modern and spec.kind == "mcp"
        self.version = plan.mcp.version if plan.mcp is not None else ""
        self._share, self._seed, self._feed = share, plan.model.seed, plan.feed
        self.params = _params(spec)
        self._varies = bool(asked(spec.body) if spec.body else asked(self.params))
        self.fixed: bytes | None = None if self._varies else self._made(self.params, spec.body)
        """What follows the number (mcp), or the whole body (agent), where it is the same each time."""

    def sent(self, count: int, worker: int) -> tuple[bytes, Mapping[str, Any]]:
        """Return what is sent the ``count``-th time in this share, and the parameters in it."""
        if self.fixed is not None:
            return self.fixed, self.params
        i = count * self._share.of + self._share.number
        row = self._feed[i % len(self._feed)] if self._feed else None
        given = values(i, worker, self._seed, row)
        params = filled(self.params, given)
        return self._made(params, filled_body(self.spec.body, given) if self.spec.body else ""), params

    def _made(self, params: Mapping[str, Any], body: str) -> bytes:
        if self.kind == "agent":
            return body.encode() if body else rpc.dumps(params)
        if self.modern:
            params = rpc.stamped(params, self.version)
        return after(self.method, params)


def after(method: str, params: Mapping[str, Any] | None) -> bytes:
    """Return what follows the number in a request."""
    told = {"method": method} if params is None else {"method": method, "params": params}
    return b"," + rpc.dumps(told)[1:]


def request(head: bytes, number: int, rest: bytes) -> bytes:
    """Return a whole request; ``head`` is as ``Place.request`` makes it."""
    return before(head, number, rest) + str(number).encode("ascii") + rest


def before(head: bytes, number: int, rest: bytes) -> bytes:
    """Return what stands before the number in a request; it is the same for all numbers of as many digits."""
    length = len(_OPENED) + len(str(number)) + len(rest)
    return b"%bcontent-length: %d\r\n\r\n%b" % (head, length, _OPENED)


def with_body(head: bytes, body: bytes) -> bytes:
    """Return a whole request with any body."""
    return b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)


def _params(spec: CallSpec) -> dict[str, Any]:
    arguments = dict(spec.arguments)
    if spec.kind == "agent":
        return arguments
    return {"name": spec.name, "arguments": arguments} if spec.method == _TOOL else arguments
