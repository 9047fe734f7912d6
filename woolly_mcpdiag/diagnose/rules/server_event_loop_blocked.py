"""server.event-loop-blocked: synchronous work stops everything else in the process."""

from woolly_mcpdiag.diagnose.shapes import noted

decide = noted(
    "server.event-loop-blocked",
    "loop.blocked",
    ("slow-callback", "worker-timeout"),
    "{n:time|times} the event loop was blocked by one step; every session in the process stood still meanwhile.",
    unit="blocks",
    because=["The event loop, or the process manager, reports it by itself."],
)
