"""net.refused: nothing listens where the client connects."""

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.shapes import noted

OTHER = (
    "SSL",
    "CERTIFICATE",
    "WRONG_VERSION",
    "Name or service",
    "name resolution",
    "nodename",
    "getaddrinfo",
    "No address associated",
)


def _refused(case: Case, note: Note) -> bool:
    del case
    return not any(word in note.event.message for word in OTHER)


decide = noted(
    "net.refused",
    "call.failed",
    ("ConnectError", "ConnectionRefusedError"),
    "{n:call|calls} could not connect: nothing listens there.",
    because=["The connection was refused at once; no request was sent."],
    only=_refused,
)
