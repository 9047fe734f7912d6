"""auth.forbidden: a 403 that is not known to be the Origin guard's."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "auth.forbidden",
    (403,),
    "{n:request|requests} to {urls} {n:~was|were} refused with 403 Forbidden.",
    confidence="possible",
    because=[
        "Not told apart by a status alone: missing rights, the Origin guard (21 bytes) or a proxy (an HTML page)."
    ],
)
