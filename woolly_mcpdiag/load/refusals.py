"""The one place that says why a target cannot be loaded: from what a probe met to a cause, its facts and an action."""

import re
from urllib.parse import urlsplit

from woolly_mcpdiag.core.bodies import by_text, unwrap
from woolly_mcpdiag.core.errors import TargetAwayError
from woolly_mcpdiag.core.redact import text as redacted
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.wire.probe import Look

_STATUS = {
    401: ("auth.required", "wants authentication", "add --bearer-env VAR, or -H 'Name: value'"),
    403: ("auth.forbidden", "refuses us", "use a token with the right to it, or ask who runs it"),
    422: ("", "it wants another body", "correct the URL; an agents API is named with --agent URL"),
    404: ("transport.wrong-path", "nothing is there", "correct the path"),
    407: ("auth.required", "the proxy wants authentication", "write it into --proxy http://user:password@host:port"),
    421: ("transport.host-guard", "its guard does not know this host name", "use a host name that the server allows"),
    429: ("proxy.rate-limit", "too many requests already", "wait, or load a target without a limit"),
    500: ("server.error", "the server fails", "read the server's own log"),
    502: ("proxy.upstream-down", "the server behind the gateway is away", "start the server behind the gateway"),
    503: ("server.capacity", "no capacity", "wait, or raise the server's limit of sessions"),
    504: ("proxy.timeout", "the server behind the gateway is too slow", "raise the gateway's time-out"),
}
HOPELESS = {401, 403, 407, 421}
"""Statuses after which no other request can do better."""
_TLS_WORDS = re.compile(r"HTTPS port|TLS|SSL", re.IGNORECASE)


class AwayError(TargetAwayError):
    """A target that cannot be loaded; ``cause`` is its name in the catalogue, empty where the facts name none."""

    def __init__(self, message: str, hint: str, cause: str = "") -> None:
        told = f"{message} ({cause})" if cause else message
        more = f"mcpdiag explain {cause}" if cause else ""
        super().__init__(told, "; ".join(part for part in (hint, more) if part))
        self.cause = cause


def shown(url: str) -> str:
    """Return a URL without its secrets."""
    return redacted_url(url)


def excerpt(text: str, most: int = 120) -> str:
    """Return the beginning of a body on one line, redacted."""
    line = " ".join(redacted(unwrap(text)).split())
    return line if len(line) <= most else line[: most - 3] + "..."


def broken(look: Look, *, tls: bool = False) -> AwayError:
    """Return the error for a request without a whole answer; ``tls``: the port was found to speak TLS."""
    parts = urlsplit(look.url)
    where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    url, detail = shown(look.url), excerpt(look.detail)
    if look.error == "TimeoutError":
        got = f"HTTP {look.status}, then " if look.status else ""
        return AwayError(
            f"{url}: {got}no answer to {look.method} {look.detail.removeprefix('no answer ')}",
            "read the server's log: it may be blocked, or a proxy may hold the answer back",
            "net.read-timeout",
        )
    if look.error == "ConnectTimeout":
        return AwayError(
            f"{url}: {where} does not answer to connection attempts",
            "check host, port and firewall",
            "net.connect-timeout",
        )
    if "SSL" in detail or "CERTIFICATE" in detail.upper():
        return _tls(url, detail)
    if "Name or service" in detail or "name resolution" in detail or "No address" in detail or "nodename" in detail:
        return unresolved(look.url, detail)
    if look.error == "ConnectError":
        cause = "net.refused" if "refused" in detail else ""
        return AwayError(
            f"{url}: no connection to {where}: {detail.lower()}", "start it, or correct host and port", cause
        )
    if tls:
        return _speaks_tls(look.url)
    if look.error == "ProxyError":
        return AwayError(f"{url}: the proxy refuses: {detail}", "check --proxy")
    return AwayError(
        f"{url}: {where} took the connection and gave no HTTP answer: {detail or look.error}",
        "check that it is an HTTP server that listens there",
    )


def unresolved(url: str, detail: str) -> AwayError:
    """Return the error for a host name without an address."""
    host = urlsplit(url).hostname
    return AwayError(
        f"{shown(url)}: host name {host}: {detail.lower()}", "correct the name, or use an address", "net.dns"
    )


def _tls(url: str, detail: str) -> AwayError:
    if "CERTIFICATE_VERIFY_FAILED" in detail:
        why = detail.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "cannot be verified"
        hint = "add --ca-file ca.pem, or --insecure for a test machine"
        return AwayError(f"{url}: its certificate is not trusted: {why}", hint, "net.tls-mismatch")
    if any(word in detail for word in ("WRONG_VERSION", "RECORD_LAYER", "record layer", "UNEXPECTED_EOF", "HTTP_REQ")):
        hint = f"write {url.replace('https://', 'http://', 1)}"
        return AwayError(f"{url}: the port does not speak TLS", hint, "net.tls-mismatch")
    return AwayError(f"{url}: no TLS connection: {detail}", "check scheme, port and certificate", "net.tls-mismatch")


def _speaks_tls(url: str) -> AwayError:
    hint = f"write {shown(url).replace('http://', 'https://', 1)}"
    return AwayError(f"{shown(url)}: the port speaks TLS", hint, "net.tls-mismatch")


def may_be_tls(look: Look) -> bool:
    """Say whether an answer to plain HTTP looks like that of a port which speaks TLS."""
    if not look.url.startswith("http://"):
        return False
    if look.status == 400:
        return bool(_TLS_WORDS.search(look.text))
    return look.error in {"RemoteProtocolError", "ReadError"}


def redirected(look: Look) -> AwayError:
    """Return the error for a redirect that is not followed."""
    return AwayError(
        f"{shown(look.url)}: redirects (HTTP {look.status}) to another origin, {shown(look.location) or 'nowhere'}",
        "give that URL, if you trust it with what you send",
        "transport.redirect",
    )


def refused(look: Look, elsewhere: str = "") -> AwayError:
    """Return the error for an answer that is no success; ``elsewhere`` is a URL that was found to speak MCP."""
    url = shown(look.url)
    cause, meaning, action = _STATUS.get(look.status, ("", "", ""))
    if look.status >= 500 and not cause:
        cause, meaning, action = _STATUS[500]
    known = by_text(look.status, look.text) if look.text else []
    if known and look.status not in {401, 404}:
        cause = known[0].causes[0]
    said = f": {excerpt(look.text)}" if look.text and "html" not in look.content_type else ""
    if elsewhere:
        action = f"use {shown(elsewhere)}, which speaks MCP"
    fact = f", {meaning}" if meaning else ""
    return AwayError(
        f"{url}: {look.method} answered HTTP {look.status}{fact}{said}", action or "correct the URL", cause
    )


def not_mcp(look: Look, elsewhere: str = "") -> AwayError:
    """Return the error for a URL that answers, but not as MCP does."""
    kind = look.content_type or "no content type"
    page = " (a web page)" if "html" in kind else " (JSON, but no JSON-RPC)" if "json" in kind else ""
    hint = f"use {shown(elsewhere)}, which speaks MCP" if elsewhere else "use the path that the server documents"
    return AwayError(
        f"{shown(look.url)}: is not MCP: {look.method} answered HTTP {look.status} with {kind}{page}",
        hint,
        "transport.wrong-path",
    )
