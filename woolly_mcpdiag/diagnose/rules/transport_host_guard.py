"""transport.host-guard: the server's DNS-rebinding guard does not know the Host header."""

from woolly_mcpdiag.diagnose.shapes import answered

decide = answered(
    "transport.host-guard",
    (421,),
    "{n:request|requests} to {urls} {n:~was|were} refused with 421: the server does not accept the Host header it was sent.",
    told=("server.error", "bad-host"),
    alone=True,
)
