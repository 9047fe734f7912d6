"""net.connect-timeout: no connection within the client's connect time-out."""

from woolly_mcpdiag.diagnose.shapes import noted

decide = noted(
    "net.connect-timeout",
    "call.failed",
    ("ConnectTimeout",),
    "{n:call|calls} got no connection in time: packets are dropped, or the server's accept queue is full.",
    because=["ConnectTimeout is raised before anything is sent; a closed port would refuse at once."],
)
