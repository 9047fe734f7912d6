"""Which of the addresses in a log are MCP endpoints: other traffic (model APIs, the app's own) must not be judged."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

from woolly_mcpdiag.diagnose.casefile import CaseFile, Cell
from woolly_mcpdiag.logs.batch import METHODS, Kind, Logger

_MCP_PATH = re.compile(r"(?i)(?:^|[/_.-])(?:mcp|sse)(?:[/_.-]|$)|/messages?/?$")
_MODEL_PATH = re.compile(
    r"(?i)/v\d+(?:beta\d?)?/(?:messages|chat/completions|completions|responses|embeddings|models|traces|logs|metrics)\b|:generateContent|/api/(?:chat|generate)$"
)
_MODEL_HOST = re.compile(
    r"(?i)(?:^|\.)(?:openai\.com|anthropic\.com|googleapis\.com|mistral\.ai|groq\.com|cohere\.(?:ai|com)|azure\.com|amazonaws\.com|pydantic\.dev)$"
)
_AUTH_PATH = re.compile(r"(?i)/\.well-known/|/(?:authorize|token|register)/?$")
"""Addresses of OAuth, which MCP clients ask beside the endpoint (MCP 2025-06-18, Basic, Authorization)."""
_MCP_WRITER = re.compile(r"(?i)^(?:fast)?mcp(?:\.|$)|\.mcp(?:\.|$)")
_MCP_TEXT = re.compile(r"(?i)\bmcp\b|McpError|streamable_?http|sse_(?:client|reader|server)")


def parts_of(url: str) -> SplitResult:
    """Split an address; of a damaged one (``http://[::``, a port that is no number) everything is the path."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", url, "", "")
    return parts


def path_of(url: str) -> str:
    """Return the path of an address, which may be a path alone."""
    return parts_of(url).path if "://" in url else url


def origin_of(url: str) -> str:
    """Return scheme, host and port, "" for a path alone."""
    parts = parts_of(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def is_model_api(url: str) -> bool:
    """Say whether an address is a language model's or a telemetry collector's."""
    return bool(_MODEL_HOST.search(parts_of(url).hostname or "") or _MODEL_PATH.search(path_of(url)))


def looks_mcp(url: str) -> bool:
    """Say whether an address is MCP by its path alone."""
    return bool(_MCP_PATH.search(path_of(url))) and not is_model_api(url) and not is_auth(url)


def is_auth(url: str) -> bool:
    """Say whether an address is one of OAuth: discovery, registration, consent or token."""
    return bool(_AUTH_PATH.search(path_of(url)))


def shows_mcp(file: CaseFile) -> bool:
    """Say whether anything but the addresses shows MCP: a session's line, a message of an SDK, its exception."""
    file.settle()
    return bool(len(file.opened.table())) or any(
        note.event.kind in ("mcp.message", "stream.lost")
        or note.event.kind.startswith("session.")
        or _MCP_WRITER.search(note.event.logger)
        or _MCP_TEXT.search(f"{note.event.error} {note.text or note.event.message}")
        for note in file.notes
    )


def find(
    urls: Sequence[str],
    cells: Iterable[Cell],
    with_session: set[int],
    globs: Sequence[str] = (),
    *,
    speaks_mcp: bool = False,
) -> set[int]:
    """Return the codes of the addresses that are MCP.

    An address is MCP by its path, by a session id in its query, or by what only MCP does on one address (202 to a
    POST, or GET, POST and DELETE together). Where nothing qualifies, the only origin that is not a model API does, but
    only in a log that shows MCP otherwise (``speaks_mcp``, see ``shows_mcp``) or has POSTs of httpx2, the HTTP client
    of mcp 2.x.
    """
    if globs:
        return {
            code
            for code, url in enumerate(urls)
            if any(fnmatchcase(url, g) or fnmatchcase(path_of(url), g) for g in globs)
        }
    traits: dict[int, set[tuple[str, int]]] = defaultdict(set)
    clients: set[int] = set()
    for cell in cells:
        method = METHODS[cell.key.method]
        traits[cell.key.url].add((method, cell.key.status))
        if cell.key.kind == Kind.CALL:
            clients.add(cell.key.url)
            speaks_mcp |= cell.key.logger == Logger.HTTPX2 and method == "POST"
    found = {code for code in traits if code >= 0 and _qualifies(urls[code], traits[code], named=code in with_session)}
    if found or not speaks_mcp:
        return found
    others = {code for code in clients if not is_model_api(urls[code]) and not is_auth(urls[code])}
    return others if len({origin_of(urls[code]) for code in others}) == 1 else found


def _qualifies(url: str, traits: set[tuple[str, int]], *, named: bool) -> bool:
    if named:
        return True
    if is_model_api(url) or is_auth(url):
        return False
    methods = {method for method, _ in traits}
    return bool(_MCP_PATH.search(path_of(url))) or ("POST", 202) in traits or {"GET", "POST", "DELETE"} <= methods
