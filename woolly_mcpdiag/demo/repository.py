"""The one place for what the demo's tools search: a small code base that is the same in every run."""

from dataclasses import dataclass

SOURCES: dict[str, str] = {
    "api/agents/universal.py": (
        '"""Run one agent with the tools of the MCP server."""\n\n\n'
        "class UniversalAgent:\n"
        "    def __init__(self, kind, session):\n        self.kind = kind\n        self.session = session\n\n"
        "    async def execute(self, query):\n        return await self.session.call_tool('search_code', query)\n"
    ),
    "api/agents/sessions.py": (
        '"""Open, lend and close MCP sessions."""\n\n\n'
        "class SessionPool:\n    async def acquire(self, key):\n        ...\n\n"
        "    async def release(self, session):\n        ...\n"
    ),
    "api/routes.py": (
        'def routes():\n    """List the routes of the agents API."""\n'
        '    return ["/api/v1/agents/execute", "/health"]\n'
    ),
    "docs/architecture.md": "# Architecture\n\nAgents borrow a session, call tools, and give the session back.\n",
    "README.md": "# demo\n\nA small repository that the demo server searches.\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A line that a search found."""

    path: str
    line: int
    """1-based."""
    text: str


def search(query: str, limit: int = 5) -> list[Hit]:
    """Return the lines that hold a word of the query, best first, at most ``limit``."""
    words = [word.lower() for word in query.split() if len(word) > 2]
    scored = []
    for path, text in SOURCES.items():
        for number, line in enumerate(text.splitlines(), 1):
            score = sum(word in line.lower() for word in words)
            if score:
                scored.append((-score, path, number, line.strip()))
    return [Hit(path=path, line=number, text=text) for _, path, number, text in sorted(scored)[:limit]]


def entities(kind: str) -> list[str]:
    """Return the names of the functions or classes of the code base, in order of appearance."""
    word = {"function": "def ", "class": "class "}.get(kind, "")
    found = []
    for text in SOURCES.values():
        for line in text.splitlines():
            head, _, tail = line.strip().removeprefix("async ").partition(" ")
            if f"{head} " in ({word} if word else {"def ", "class "}):
                found.append(tail.partition("(")[0].rstrip(":"))
    return found
