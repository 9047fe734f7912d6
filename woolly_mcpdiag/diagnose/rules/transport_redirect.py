"""transport.redirect: every request is answered twice, first with a redirect to the same path with or without its slash."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "transport.redirect",
    (301, 302, 307, 308),
    "{n:request|requests} to {urls} {n:~was|were} answered with a redirect ({statuses}) and sent again: each call pays twice.",
    because=["The redirected requests succeed, so nothing fails; the exact URL saves half of the requests."],
)
