"""net.dns: the host name does not resolve."""

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.shapes import noted

_WORDS = (
    "Name or service not known",
    "name resolution",
    "nodename nor servname",
    "getaddrinfo failed",
    "No address associated",
)


def _unresolved(case: Case, note: Note) -> bool:
    del case
    return note.event.error == "gaierror" or any(word in note.event.message for word in _WORDS)


decide = noted(
    "net.dns",
    "call.failed",
    ("ConnectError", "gaierror"),
    "{n:call|calls} failed before connecting: the host name does not resolve.",
    because=["The resolver says so."],
    only=_unresolved,
)
