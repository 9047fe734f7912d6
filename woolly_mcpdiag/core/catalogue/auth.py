"""The one place for causes in who may ask."""

from woolly_mcpdiag.core.causes import Cause

CAUSES: tuple[Cause, ...] = (
    Cause(
        name="auth.required",
        title="The server wants authentication",
        severity="error",
        what=(
            "401, usually with `WWW-Authenticate`; twice per connection with mcp 2.x clients, which ask "
            "`server/discover` and `initialize`."
        ),
        why=(
            'No token was sent, it expired, or it was lost in a redirect. A client may hide it: some report "All '
            'connection attempts failed" when the metadata of the authorisation server cannot be reached.'
        ),
        sure="The header `WWW-Authenticate` names the scheme and where the metadata is.",
        client=(
            'Send the token (`headers={"Authorization": "Bearer ..."}` or the SDK\'s OAuth provider as `auth=`); '
            "renew it before it ends. Do not retry without a new token."
        ),
        server="Make `/.well-known/oauth-protected-resource` reachable for clients.",
        deployment="Let the proxy pass `Authorization`, and avoid redirects to another host: see transport.redirect.",
        references=("MCP 2025-06-18, Basic, Authorization",),
        statuses=(401,),
        bodies=("Unauthorized", "invalid_token", "Authentication required", "WWW-Authenticate"),
    ),
    Cause(
        name="auth.challenge",
        title="The server asked for a token and the client brought one: the normal start of OAuth",
        severity="info",
        benign=True,
        what=(
            "A 401 at the start of a connection, then requests to `/.well-known/oauth-protected-resource`, the "
            "authorisation server's `/.well-known/` metadata, perhaps `/register`, then `/token`; after that the same "
            "address answers. A 404 on one of the `/.well-known/` addresses is part of the search."
        ),
        why=(
            "A client learns from the 401 that it needs a token and where to get it. It tries the metadata address "
            "with the endpoint's path first and the one at the root of the host after it."
        ),
        sure=(
            "Requests to the same address succeed after the token request, and no 401 comes back while the token is "
            "valid. A 401 that nothing follows is auth.required."
        ),
        client="Nothing, or keep the token between connections (the SDK's `TokenStorage`) to save the steps.",
        references=("MCP 2025-06-18, Basic, Authorization", "RFC 9728, Protected Resource Metadata"),
        statuses=(401,),
        bodies=("WWW-Authenticate", "resource_metadata", "oauth-protected-resource"),
    ),
    Cause(
        name="auth.forbidden",
        title="Somebody refused the request although it is known who asks",
        severity="error",
        what="403 that is not the Origin guard: from the application, a gateway or a web application firewall.",
        why=(
            "The token lacks a scope or the user a right; an address is not on the allow list; a firewall dislikes "
            "the body of a tool call."
        ),
        sure=(
            "The body and the `server` header tell who spoke: JSON from the application, HTML from a gateway. 21 "
            'bytes "Invalid Origin header" is transport.origin-guard. No such request in the server\'s log: see '
            "net.env-proxy."
        ),
        client='Ask for the missing scope (`WWW-Authenticate: ... error="insufficient_scope"`); do not retry.',
        server="Name the missing right in the body.",
        deployment="Check allow lists and firewall rules for the MCP path.",
        references=("MCP 2025-06-18, Basic, Authorization", "RFC 9110, Forbidden"),
        statuses=(403,),
        bodies=("Forbidden", "insufficient_scope", "Access Denied"),
    ),
)
