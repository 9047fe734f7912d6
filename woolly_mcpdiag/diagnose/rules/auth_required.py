"""auth.required: the endpoint wants credentials."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "auth.required",
    (401, 407),
    "{n:request|requests} to {urls} {n:~was|were} refused with {statuses}: credentials are missing, wrong or expired.",
    because=["A 2.x client shows two per connect: its era probe and initialize."],
)
