"""The one place for ``--fail-on``: what may be asked for, and what of it a report shows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from woolly_mcpdiag.core.causes import FAMILIES, catalogue, nearest
from woolly_mcpdiag.core.errors import UsageError

if TYPE_CHECKING:
    from woolly_mcpdiag.report.model import Report

WORDS = ("any", "unexplained")


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names as they are, or raise ``UsageError`` for the first that is no cause, family or word."""
    for name in names:
        if name in WORDS or name in FAMILIES or name in catalogue():
            continue
        close = nearest(name)
        msg = f"--fail-on {name!r}: no such cause or family"
        raise UsageError(
            msg,
            hint=f"did you mean {close[0]}?"
            if close
            else f"a cause of `mcpdiag explain`, {', '.join(FAMILIES + WORDS)}",
        )
    return tuple(names)


def matches(report: "Report", names: Sequence[str]) -> list[str]:
    """Return what the report shows of what was asked for: "session.no-affinity ×12".

    A family and ``any`` leave benign findings out; a benign cause counts where it is asked for by its name.
    ``any`` includes failing responses that nothing explains.
    """
    found = [
        f"{finding.cause} ×{finding.count}"
        for finding in report.findings
        if finding.cause in names
        or (not finding.benign and ("any" in names or finding.cause.partition(".")[0] in names))
    ]
    if set(WORDS) & set(names):
        found += [f"unexplained {book.status} ×{book.unexplained}" for book in report.ledgers if book.unexplained]
    return found


def undecidable(report: "Report") -> str:
    """Return why the report cannot answer at all, "" where it can: without MCP traffic nothing was tested."""
    if report.requests or report.sessions or report.findings:
        return ""
    others = sum(report.other_requests.values())
    return "the logs show no MCP traffic" + (
        f" ({others:,} other requests; --endpoint says which are MCP)" if others else ""
    )
