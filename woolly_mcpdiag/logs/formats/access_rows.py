"""The one table of access logs in JSON (nginx, Caddy, Traefik, GCP): which key is method, path, status and size."""

from collections.abc import Mapping
from typing import Any

from woolly_mcpdiag.logs.batch import METHOD_CODE

_METHODS = ("method", "request_method", "http_method", "requestMethod", "RequestMethod", "verb")
_PATHS = (
    "path", "uri", "request_uri", "url", "request_path", "http_path", "requestUrl", "RequestPath", "originalUrl",
)  # fmt: skip
_STATUSES = ("status", "status_code", "response_status", "http_status", "statusCode", "DownstreamStatus", "code")
_SIZES = (
    "body_bytes_sent", "bytes_sent", "bytes", "size", "response_size", "responseSize", "DownstreamContentSize",
)  # fmt: skip
_NESTED = ("request", "req", "response", "res", "httpRequest", "http")
_EMPTY = frozenset({"", "handled request", "request completed", "access", "-"})
"""What the message of such a row says, if it has one."""
_UPSTREAM = "upstream"


def is_empty(message: object) -> bool:
    """Say whether a message leaves to the other fields what was asked and answered."""
    return isinstance(message, str) and message in _EMPTY


def access_line(row: Mapping[str, Any]) -> str | None:
    """Return a row of an access log in the words of an access line, ``None`` where it is none."""
    fields = dict(row)
    for key in _NESTED:
        inner = fields.get(key)
        if isinstance(inner, dict):
            fields = inner | {name: value for name, value in fields.items() if name != key}
    status = _of(fields, _STATUSES)
    if not str(status).isdecimal() or not 100 <= int(str(status)) <= 599:
        return None
    request = fields.get("request")
    if isinstance(request, str) and request.count(" ") == 2:
        method, path, _ = request.split(" ")
    else:
        method, path = str(_of(fields, _METHODS)).upper(), str(_of(fields, _PATHS))
    if not METHOD_CODE.get(method) or not path or " " in path or '"' in path:
        return None
    size = str(_of(fields, _SIZES))
    return f'"{method} {path} HTTP/1.1" {status}{f" {size}" if size.isdecimal() else ""}'


def is_proxied(fields: Mapping[str, object]) -> bool:
    """Say whether a row tells of an upstream, as only a proxy does."""
    return any(key.lower().startswith(_UPSTREAM) for key in fields)


def _of(fields: Mapping[str, Any], keys: tuple[str, ...]) -> object:
    return next((fields[key] for key in keys if key in fields), "")
