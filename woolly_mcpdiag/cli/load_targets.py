"""The one place for how the targets of a load are reached: URLs, headers, TLS, proxy."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from woolly_mcpdiag.cli.load_typed import Typed, clash
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.core.redact import url as redacted_url
from woolly_mcpdiag.load.plan import Connection

_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


def connection(url: str, typed: Typed) -> Connection:
    """Return how a URL is reached. Raises ``UsageError`` and ``InputError`` for what cannot be."""
    if typed.ca_file is not None:
        try:
            with Path(typed.ca_file).open("rb"):
                pass
        except OSError as error:
            msg = f"--ca-file {typed.ca_file}: cannot be read: {(error.strerror or str(error)).lower()}"
            raise InputError(msg, "name a file with certificates in PEM form") from None
    return Connection(
        url=checked_url(url),
        headers=headers(typed),
        verify=not typed.insecure,
        ca_file=typed.ca_file or "",
        proxy=checked_url(typed.proxy, "--proxy ", userinfo=True) if typed.proxy else "",
    )


def checked_url(url: str, option: str = "", *, userinfo: bool = False) -> str:
    """Return the URL. Raises ``UsageError`` where nothing can be reached under it."""
    shown = f"{option}{redacted_url(url)}"
    example = "http://localhost:8009/mcp"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        msg = f"{shown}: {problem}"
        raise UsageError(msg, hint=f"write it like {example}") from None
    if parts.scheme not in {"http", "https"}:
        guess = f"http://{url}" if re.match(r"[\w.\-]+(:\d+)?(/|$)", url) else example
        msg = f"{shown}: is no http or https URL"
        raise UsageError(msg, hint=f"write {guess}")
    if not parts.hostname or port == 0 or any(ord(char) <= 32 or ord(char) == 127 for char in url):
        fact = "has a blank in it" if parts.hostname and port != 0 else "no port" if parts.hostname else "no host"
        msg = f"{shown}: {fact}"
        raise UsageError(msg, hint=f"write it like {example}")
    if "@" in parts.netloc and not userinfo:
        msg = f"{shown}: has a user name or password in it"
        raise UsageError(msg, hint="give them as a header: -H 'Authorization: Basic …', or --bearer-env VAR")
    return parts._replace(path=parts.path or "/", fragment="").geturl()


def headers(typed: Typed) -> dict[str, str]:
    """Return the headers to send, by their names in lower case. Raises ``UsageError`` for what is none."""
    found: dict[str, str] = {}
    for text in typed.headers:
        name, colon, value = (part.strip() for part in text.partition(":"))
        if not colon or not _HEADER.match(name) or any(ord(char) < 32 for char in value):
            msg = f"--header {name if colon else '(no colon)'}: is no header"
            raise UsageError(msg, hint="write -H 'Name: value'")
        found[name.lower()] = value
    if typed.bearer_env is None:
        return found
    if "authorization" in found:
        clash("--bearer-env", "-H Authorization", "only one can be sent", "leave one of them out")
    token = os.environ.get(typed.bearer_env, "").strip()
    if not token or any(ord(char) <= 32 for char in token):
        msg = f"--bearer-env {typed.bearer_env}: that variable {'is not set' if not token else 'holds no token'}"
        raise UsageError(msg, hint=f"export {typed.bearer_env}=…")
    return {**found, "authorization": f"Bearer {token}"}
