"""client.gave-up: the caller closed the connection before the answer (nginx 499)."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "client.gave-up",
    (499,),
    "{n:request|requests} to {urls} {n:~was|were} given up by {n:~its|their} caller before an answer came.",
    because=["499 is the proxy's word for it; the cause of the wait is not in this line."],
)
