"""Which of the addresses in a log are MCP endpoints: other traffic (model APIs, the app's own) must not be judged."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

from woolly_mcpdiag.diagnose.casefile import Cell
from woolly_mcpdiag.logs.batch import METHODS, Kind

_MCP_PATH = re.compile(r"(?i)(?:^|[/_.-])(?:mcp|sse)(?:[/_.-]|$)|/messages?/?$")
_MODEL_PATH = re.compile(
    r"(?i)/v\d+(?:beta\d?)?/(?:messages|chat/completions|completions|responses|embeddings|models|traces|logs|metrics)\b|:generateContent|/api/(?:chat|generate)$"
)
_MODEL_HOST = re.compile(
    r"(?i)(?:^|\.)(?:openai\.com|anthropic\.com|googleapis\.com|mistral\.ai|groq\.com|cohere\.(?:ai|com)|azure\.com|amazonaws\.com|pydantic\.dev)$"
)


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


def find(urls: Sequence[str], cells: Iterable[Cell], with_session: set[int], globs: Sequence[str] = ()) -> set[int]:
    """Return the codes of the addresses that are MCP.

    An address is MCP by its path, by a session id in its query, or by what only MCP does on one address (202 to a
    POST, or GET, POST and DELETE together). Where nothing qualifies, the only origin that is not a model API does.
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
        traits[cell.key.url].add((METHODS[cell.key.method], cell.key.status))
        if cell.key.kind == Kind.CALL:
            clients.add(cell.key.url)
    found = {code for code in traits if code >= 0 and _qualifies(urls[code], traits[code], named=code in with_session)}
    if not found:
        others = {code for code in clients if not is_model_api(urls[code])}
        if len({origin_of(urls[code]) for code in others}) == 1:
            return others
    return found


def _qualifies(url: str, traits: set[tuple[str, int]], *, named: bool) -> bool:
    if named:
        return True
    if is_model_api(url):
        return False
    methods = {method for method, _ in traits}
    return bool(_MCP_PATH.search(path_of(url))) or ("POST", 202) in traits or {"GET", "POST", "DELETE"} <= methods
