"""A URL with one slash too many: every request is paid twice."""

from woolly_mcpdiag.demo.faults.fault import Fault
from woolly_mcpdiag.demo.plan import STREAMABLE_PATH, Plan


def apply(plan: Plan, _value: str) -> None:
    """Let the client use the URL that the real server redirects."""
    path = plan.client_path or STREAMABLE_PATH
    plan.client_path = path[:-1] if path.endswith("/") else path + "/"


FAULT = Fault(
    name="redirect",
    what="the client's URL has a slash at its end that the server's has not: each request is redirected (307)",
    causes=("transport.redirect",),
    client="per-call",
    apply=apply,
    note="another server may answer such a URL with 404, or take it as it is",
)
