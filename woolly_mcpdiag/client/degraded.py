"""The one mark of a result that did not come from the server just now."""

from typing import Any

from woolly_mcpdiag.wire.sdk import CallToolResult, TextContent

META = "mcpdiag/degraded"
"""Key in a result's ``_meta``; its value tells the source and, where it has one, the age in seconds."""


def provenance(source: str, age: float | None = None) -> dict[str, Any]:
    """Return the ``_meta`` of a degraded result."""
    return {META: {"source": source} if age is None else {"source": source, "age": round(age, 3)}}


def marked(result: object, *, source: str) -> CallToolResult:
    """Return a fallback's answer, a text or a ``CallToolResult``, as a result that says what it is."""
    if isinstance(result, CallToolResult):
        return result.model_copy(update={"meta": {**(result.meta or {}), **provenance(source)}})
    answer = CallToolResult(content=[TextContent(type="text", text=str(result))])
    return answer.model_copy(update={"meta": provenance(source)})


def is_degraded(result: object) -> bool:
    """Say whether a result is a fallback's."""
    return META in (getattr(result, "meta", None) or {})
