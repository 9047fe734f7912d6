"""A server that wants a token."""

from starlette.types import Receive, Scope, Send

from woolly_mcpdiag.demo.faults.fault import Fault
from woolly_mcpdiag.demo.plan import Plan
from woolly_mcpdiag.demo.wire import Front, Seen, answer

BODY = b'{"error": "invalid_token", "error_description": "Authentication required"}'
CHALLENGE = b'Bearer error="invalid_token", error_description="Authentication required"'


class NeedsToken(Front):
    """Refuses a request without ``Authorization``, in the words of the SDK's own middleware."""

    async def exchange(self, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on; any token is good."""
        if any(key == b"authorization" for key, _ in scope["headers"]):
            await self.app(scope, receive, send)
        else:
            await answer(send, 401, BODY, headers=[(b"www-authenticate", CHALLENGE)])


def apply(plan: Plan, _value: str) -> None:
    """Put the layer in front."""
    plan.layers.append(NeedsToken)


FAULT = Fault(
    name="auth",
    what="requests without a token are refused with 401",
    causes=("auth.required",),
    client="per-call",
    apply=apply,
)
