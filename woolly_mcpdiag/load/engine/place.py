"""The one place for where a URL leads: addresses, TLS, and the bytes that every request to it has in common."""

import re
import socket
import ssl
from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, urlsplit

from woolly_mcpdiag import __version__
from woolly_mcpdiag.core import redact
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.load.plan import Connection as Reached

Address = tuple[socket.AddressFamily, tuple[Any, ...]]
Headers = tuple[tuple[str, str], ...]
"""Names and values."""
_ASK_AGAIN = 1.0
"""Seconds after which a name that did not resolve is asked for again."""
_MOST_HEADS = 100
_PLAIN = re.compile(r"[!-~]+\Z")
"""A header's value that can be sent without a further look."""
_PORTS = {"http": 80, "https": 443}


class Place:
    """An origin and a path on it, as requests are sent there."""

    def __init__(self, at: Reached) -> None:
        """Raises ``UsageError`` for a URL or header that cannot mean anything, ``InputError`` for a bad CA file."""
        self.parts = _parts(at.url)
        self.url = redact.url(at.url)
        """As it may be told."""
        self.host = self.parts.hostname or ""
        self.port = self.parts.port or _PORTS[self.parts.scheme]
        self.path = _path(self.parts)
        self.tls = _context(at) if self.parts.scheme == "https" else None
        self.common = _common(self.parts, at.headers)
        """Header lines of every request."""
        self.secrets = tuple(value for value in at.headers.values() if value)
        self._heads: dict[tuple[str, Headers], bytes] = {}
        self.addresses: list[Address] = []
        self.resolving: float | None = None
        """Seconds that the resolver took, until somebody has taken note of it."""
        self._asked = float("-inf")
        self._problem: OSError | None = None

    def resolve(self) -> None:
        """Ask the resolver unless its answer is known; blocks. Raises ``socket.gaierror``."""
        begun = monotonic()
        if self.addresses:
            return
        if self._problem is not None and begun - self._asked < _ASK_AGAIN:
            raise self._problem
        self._asked = begun
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as problem:
            self._problem = problem if isinstance(problem, OSError) else socket.gaierror(str(problem))
            raise self._problem from None
        self.addresses = [(family, tuple(address)) for family, _, _, _, address in found]
        self.resolving = monotonic() - begun

    def prefer(self, address: Address) -> None:
        """Try this address first from now on."""
        if self.addresses[0] != address:
            self.addresses.remove(address)
            self.addresses.insert(0, address)

    def request(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        """Return request line and header fields without the blank line at their end."""
        more = "".join(f"{name}: {_checked(name, value)}\r\n" for name, value in headers.items())
        return f"{method} {path} HTTP/1.1\r\n".encode() + self.common + more.encode("latin-1")

    def again(self, method: str, headers: Headers, session: str = "") -> bytes:
        """Return ``request`` of this path, and remember it; a session, unless empty, is named in a header besides."""
        found = self._heads.get((method, headers))
        if found is None:
            if len(self._heads) >= _MOST_HEADS:
                self._heads.clear()
            found = self._heads[method, headers] = self.request(method, self.path, dict(headers))
        if not session:
            return found
        return b"%bmcp-session-id: %b\r\n" % (found, _checked("mcp-session-id", session).encode("latin-1"))

    def within(self, url: str) -> SplitResult | None:
        """Return the parts of an absolute URL on this origin, ``None`` for one elsewhere."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return None
        same = (parts.scheme, parts.hostname, port) == (self.parts.scheme, self.parts.hostname, self.port)
        return parts if same else None


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        good = parts.scheme in _PORTS and parts.hostname and parts.port != 0
    except ValueError:
        good, parts = None, SplitResult("", "", "", "", "")
    if not good or any(char <= " " for char in url):
        message = f"{redact.url(url)}: is no http or https URL"
        raise UsageError(message, hint="write it as http://host:port/path")
    return parts


def _path(parts: SplitResult) -> str:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return path if path.isascii() else "".join(char if char.isascii() else _quoted(char) for char in path)


def _quoted(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())


def _common(parts: SplitResult, headers: Mapping[str, str]) -> bytes:
    host = parts.hostname or ""
    host = host if host.isascii() else host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    if parts.port and parts.port != _PORTS[parts.scheme]:
        host += f":{parts.port}"
    own = {"host": host, "user-agent": f"mcpdiag/{__version__}"}
    own |= {name.lower(): value for name, value in headers.items()}
    return "".join(f"{name}: {_checked(name, value)}\r\n" for name, value in own.items()).encode("latin-1")


def _checked(name: str, value: str) -> str:
    if name == "mcp-session-id" and _PLAIN.match(value):
        return value
    try:
        (name + value).encode("latin-1")
    except UnicodeEncodeError:
        good = False
    else:
        good = bool(name) and not any(char in name + value for char in "\r\n\0") and not any(c in name for c in " :")
    if not good:
        message = f"header {name!r}: cannot be sent"
        raise UsageError(message, hint="use a name of letters, digits and dashes, and a value of one line")
    return value


def _context(at: Reached) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=at.ca_file or None)
    except (OSError, ssl.SSLError) as problem:
        message = f"{at.ca_file}: cannot be read as certificates: {problem}"
        raise InputError(message, hint="name a file of PEM certificates") from None
    if not at.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
