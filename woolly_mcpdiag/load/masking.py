"""The one place that makes what a load saw fit to be kept: secrets masked, texts cut."""

from collections.abc import Mapping

from woolly_mcpdiag.core import redact
from woolly_mcpdiag.load.plan import Plan

LONGEST = 2000
"""Characters of a body or a request that are kept."""
_SHORTEST = 4
"""Characters below which a header's value is too common a text to be masked wherever it stands."""
_REMEMBERED = 1000
"""Texts whose masking is kept: under load the same refusal comes again and again."""
_PLAIN = {"application/json", "text/event-stream", "keep-alive", "close", "gzip", "identity", "true", "false", "none"}
Fact = str | int | float | bool


class Masking:
    """Masks what is secret by its shape or name, and the values of the headers that the plan sends, wherever met."""

    def __init__(self, plan: Plan) -> None:
        places = [target.at for target in (plan.mcp, plan.agent) if target is not None]
        values = {part for place in places for value in place.headers.values() for part in (value, *value.split())}
        secret = {value for value in values if len(value) >= _SHORTEST and value.lower() not in _PLAIN}
        self._secrets = sorted(secret - {"Bearer", "Basic", "Token", "Digest"}, key=len, reverse=True)
        self._texts: dict[str, str] = {}
        self._urls: dict[str, str] = {}

    def text(self, said: str) -> str:
        """Return a text with its secrets masked, at most ``LONGEST`` characters of it."""
        found = self._texts.get(said)
        if found is None:
            found = _remember(self._texts, said, self._masked(said[: 2 * LONGEST]))
        return found

    def url(self, said: str) -> str:
        """Return a URL with its secrets masked."""
        found = self._urls.get(said)
        if found is None:
            found = _remember(self._urls, said, redact.url(said))
        return found

    def facts(self, told: Mapping[str, Fact]) -> dict[str, Fact]:
        """Return the facts of an event with the secrets in their texts masked."""
        return {name: self.text(value) if isinstance(value, str) else value for name, value in told.items()}

    def _masked(self, said: str) -> str:
        for secret in self._secrets:
            said = said.replace(secret, redact.MASK)
        return redact.text(said)[:LONGEST]


def _remember(known: dict[str, str], said: str, masked: str) -> str:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[said] = masked
    return masked
