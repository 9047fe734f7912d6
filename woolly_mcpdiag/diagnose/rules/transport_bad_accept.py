"""transport.bad-accept: Accept or Content-Type of a hand-made client is not what the transport demands."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "transport.bad-accept",
    (406, 415),
    "{n} requests to {urls} were refused with {statuses}: Accept must offer both application/json and text/event-stream, "
    "and a POST must be application/json.",
    told=("call.rejected", "bad-accept"),
)
