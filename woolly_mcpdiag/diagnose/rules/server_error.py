"""server.error: the server failed, and no better name is known."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "server.error",
    (500, 501, 505, 507, 508),
    "{n:request|requests} to {urls} failed inside the server ({statuses}).",
    told=("server.error", "asgi"),
    because=["The server's own traceback has the reason."],
)
