"""session.stream-conflict: a second GET stream for a session that already has one."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "session.stream-conflict",
    (409,),
    "{n:request|requests} to {urls} got 409 Conflict: the session already has a stream, either a second holder's or one whose cut "
    "the server has not noticed yet.",
    because=[
        "409 is only given to a second stream of one session.",
        "Once, within milliseconds of a dropped stream, it is a transient reconnect race; repeated, two holders share a session.",
    ],
    told=("call.rejected", "second-stream"),
)
