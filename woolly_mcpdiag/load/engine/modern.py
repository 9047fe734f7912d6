"""The stateless era (2026-07-28): no sessions; every request says who asks and what, in headers and ``_meta``."""

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

from woolly_mcpdiag.load.contract import Asked
from woolly_mcpdiag.load.engine import rpc
from woolly_mcpdiag.load.engine.calls import Call, after, request
from woolly_mcpdiag.load.engine.exchange import Exchange, Resume
from woolly_mcpdiag.load.engine.line import Line, Setting, Steps, asked, judged

_ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
_DISCOVER = "server/discover"
_DEEPEST = 8
"""Levels of a tool's schema that are looked at for header annotations."""


class ModernLine(Line):
    """Connections to a stateless server; opening it is one ``server/discover``."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        mcp = setting.plan.mcp
        self._version = mcp.version if mcp is not None else ""
        self._number = 0
        self._heads: dict[int, tuple[bytes, Asked]] = {}
        self._mirrored = {tool["name"]: list(_annotated(tool)) for tool in mcp.tools if "name" in tool} if mcp else {}

    def open(self, resume: Resume) -> Steps:
        """Discover the server."""
        setting = self.setting
        begun = monotonic()
        params = rpc.stamped({}, self._version)
        head = self._head(_DISCOVER, params)
        exchange = self._send(head, asked(self.place, "POST", _DISCOVER), after(_DISCOVER, params), resume, begun)
        exchange = yield
        why = judged(exchange)
        setting.ledger.answered(exchange)
        if why is not None:
            return self.unborn("discover", exchange, why)
        setting.recorder.phase("discover", exchange.ended - exchange.sent)
        self.ready = True
        return None

    def start(self, call: Call, count: int, worker: int, resume: Resume, begun: float) -> Exchange:
        """Send a call."""
        rest, params = call.sent(count, worker)
        if call.fixed is not None and call.index in self._heads:
            head, told = self._heads[call.index]
        else:
            head, told = self._head(call.method, params), asked(self.place, "POST", call.method)
            self._heads[call.index] = head, told
        return self._send(head, told, rest, resume, begun)

    def _send(self, head: bytes, told: Asked, rest: bytes, resume: Resume, begun: float) -> Exchange:
        self._number += 1
        exchange = Exchange(told, resume, self._number, begun, begun + self.setting.limits.call)
        self.connection().start(exchange, request(head, self._number, rest))
        return exchange

    def _head(self, method: str, params: Mapping[str, Any]) -> bytes:
        headers = rpc.modern_headers(method, params, self._version)
        arguments = params.get("arguments")
        for path, name in self._mirrored.get(str(params.get("name")), ()) if isinstance(arguments, Mapping) else ():
            told = _rendered(_at(arguments, path))
            if told is not None:
                headers[f"mcp-param-{name}"] = rpc.header_value(told)
        return self.place.request("POST", self.place.path, {**_ACCEPT, **headers})


def _annotated(tool: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (path, header) of the arguments of a tool that are repeated as ``Mcp-Param-…`` headers."""
    schema = tool.get("inputSchema")
    yield from _properties(schema, ()) if isinstance(schema, Mapping) else ()


def _properties(schema: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or len(path) >= _DEEPEST:
        return
    for name, inner in properties.items():
        if isinstance(inner, Mapping):
            header = inner.get("x-mcp-header")
            if isinstance(header, str) and header:
                yield (*path, name), header
            yield from _properties(inner, (*path, name))


def _at(arguments: Mapping[str, Any] | None, path: tuple[str, ...]) -> object:
    node: object = arguments
    for name in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(name)
    return node


def _rendered(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
