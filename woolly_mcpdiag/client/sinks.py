"""The one place for where a client's events can go: JSON lines, and attributes under OpenTelemetry's names."""

from typing import TextIO

from woolly_mcpdiag.core.events import Event

_NAMES = {
    "url": "url.full",
    "status": "http.response.status_code",
    "session": "mcp.session.id",
    "agent": "gen_ai.agent.name",
    "error": "error.type",
    "key": "mcpdiag.session.key",
    "duration": "mcpdiag.duration",
}
_EXTRA = {"tool": "gen_ai.tool.name", "rpc": "mcp.method.name", "version": "mcp.protocol.version"}


class JsonLines:
    """A sink that writes one JSON line for each event; ``analyze-logs`` reads them."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __call__(self, event: Event) -> None:
        """Write one event at once."""
        self.stream.write(event.to_json() + "\n")
        self.stream.flush()


def attributes(event: Event) -> dict[str, str | int | float | bool]:
    """Return an event's facts under the names of OpenTelemetry's semantic conventions; absent ones are left out.

    Facts that these have no name for are called ``mcpdiag.*``. Durations are seconds.
    """
    found: dict[str, str | int | float | bool] = {"event.name": f"mcpdiag.{event.kind}"}
    for name, told in _NAMES.items():
        value = getattr(event, name)
        if value not in ("", None):
            found[told] = value
    if event.method:
        http = event.kind.startswith("http.")
        found["http.request.method" if http else "mcp.method.name"] = event.method
    for name, value in event.extra.items():
        found[_EXTRA.get(name, f"mcpdiag.{name}")] = value
    return found
