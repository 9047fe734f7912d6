"""The one place that writes causes as Markdown: one entry for ``explain --format md``, all of them for docs/causes.md.

``python -m woolly_mcpdiag.report.causes_page > docs/causes.md`` writes the page anew.
"""

import re
import sys
from collections.abc import Iterable

from woolly_mcpdiag.core.causes import FAMILIES, Cause, catalogue
from woolly_mcpdiag.report.escape import markdown_code, markdown_prose

FAMILY_TITLES = {
    "net": "Network: addresses, connections, TLS",
    "transport": "Transport: how MCP is spoken over HTTP",
    "session": "Session: birth, readiness, loss, streams",
    "client": "Client: pools, tasks, ids, deadlines",
    "server": "Server: limits, blocked loops, tools, silence",
    "proxy": "Proxy: what stands between client and server",
    "auth": "Authentication and permission",
    "log": "Log: what it leaves undecided",
}
_INTRO = """# Causes

Every cause that mcpdiag can name, as `mcpdiag explain CAUSE` prints it. Names are never renamed or reused after a
release. A *benign* cause is shown apart and never fails a gate. This page is generated from the catalogue:
`python -m woolly_mcpdiag.report.causes_page > docs/causes.md`.
"""
_SPECIFICATION = "https://modelcontextprotocol.io/specification"


def render() -> str:
    """Return the whole page: contents by family, then one entry a cause."""
    causes = list(catalogue().values())
    parts = [_INTRO, _contents(causes)]
    for family in FAMILIES:
        parts.append(f"## {FAMILY_TITLES[family]}\n")
        parts += [entry(cause) for cause in causes if cause.family == family]
    return "\n".join(parts)


def entry(cause: Cause, level: int = 3) -> str:
    """Return one cause as Markdown, its name a heading of that level, ending in a newline."""
    mark, sub = "#" * level, "#" * (level + 1)
    blocks = [f"{mark} {cause.name}", f"**{markdown_prose(cause.title)}**", f"*{'. '.join(_facts(cause))}.*"]
    told = (("What happened", cause.what), ("Why", cause.why), ("How to be sure", cause.sure))
    blocks += [block for heading, text in told for block in (f"{sub} {heading}", markdown_prose(text))]
    advice = [f"- **{side}:** {markdown_prose(text)}" for side, text in advices(cause)]
    blocks += [f"{sub} What to do", "\n".join(advice) or "Nothing: this is harmless."]
    if cause.references:
        blocks += [f"{sub} References", "\n".join(f"- {_linked(reference)}" for reference in cause.references)]
    return "\n\n".join(blocks) + "\n"


def advices(cause: Cause) -> list[tuple[str, str]]:
    """Return the sides that can do something, with what: Client, Server, Deployment."""
    sides = (("Client", cause.client), ("Server", cause.server), ("Deployment", cause.deployment))
    return [(side, text) for side, text in sides if text]


def anchor(name: str) -> str:
    """Return the fragment under which a cause stands on the page, as GitHub derives it from the heading."""
    return re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")


def link(reference: str) -> str:
    """Return the address of a reference, "" where it has none of its own (an RFC's or a server's manual section)."""
    thread = re.fullmatch(r"([\w.-]+/[\w.-]+)#(\d+)", reference)
    if thread:
        return f"https://github.com/{thread[1]}/issues/{thread[2]}"
    section = re.fullmatch(r"MCP (\d{4}-\d\d-\d\d), (.+)", reference)
    if section:
        return f"{_SPECIFICATION}/{section[1]}/{_path(section[2].split(', '))}"
    rfc = re.match(r"RFC (\d+)", reference)
    return f"https://www.rfc-editor.org/rfc/rfc{rfc[1]}" if rfc else ""


def _path(titles: list[str]) -> str:
    if titles == ["Key Changes"]:
        return "changelog"
    pages = [_slug(title) for title in titles]
    if pages[:2] == ["basic", "overview"]:
        pages[:2] = ["basic"]
        return "#".join(pages)
    page = pages[:3] if pages[1:2] == ["utilities"] else pages[:2]
    return "/".join(page) + "".join(f"#{rest}" for rest in pages[len(page) :])


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _linked(reference: str) -> str:
    address = link(reference)
    return f"[{reference}]({address})" if address else reference


def _facts(cause: Cause) -> list[str]:
    facts = ["Benign" if cause.benign else cause.severity.capitalize()]
    if cause.statuses:
        facts.append(f"Shows as {_listed(str(status) for status in cause.statuses)}")
    if cause.bodies:
        facts.append(f"Texts: {_listed(markdown_code(text) for text in cause.bodies)}")
    return facts


def _listed(items: Iterable[str]) -> str:
    return ", ".join(items)


def _contents(causes: list[Cause]) -> str:
    lines = []
    for family in FAMILIES:
        lines.append(f"- [{FAMILY_TITLES[family]}](#{anchor(FAMILY_TITLES[family])})")
        lines += [f"  - [{c.name}](#{anchor(c.name)}): {markdown_prose(c.title)}" for c in causes if c.family == family]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
