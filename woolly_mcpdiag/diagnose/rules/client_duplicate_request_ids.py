"""client.duplicate-request-ids: two requests of one session carry the same JSON-RPC id."""

from woolly_mcpdiag.diagnose.case import Case
from woolly_mcpdiag.diagnose.casefile import Note
from woolly_mcpdiag.diagnose.shapes import noted


def _says(case: Case, note: Note) -> bool:
    del case
    text = note.event.message.lower()
    return "duplicate" in text and "id" in text and ("request" in text or "json" in text)


decide = noted(
    "client.duplicate-request-ids",
    "call.rejected",
    ("duplicate-id", "rpc-error"),
    "{n:request reuses|requests reuse} a JSON-RPC id that is still in flight on the same session.",
    because=["The answer names the duplicate id."],
    only=_says,
)
