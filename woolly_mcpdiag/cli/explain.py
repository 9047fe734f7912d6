"""``mcpdiag explain``: the cause catalogue offline, one cause in full, or the causes that fit a status and a text."""

import json
import re
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from woolly_mcpdiag.core.causes import FAMILIES, Cause, catalogue, nearest
from woolly_mcpdiag.core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from woolly_mcpdiag.core.explain import Ranked

SCHEMA = "mcpdiag.explain/1"
Format = Literal["text", "json", "md"]
_SHOWN = 5
"""Ranked causes shown in full; the rest is named."""
_TEXT_ALONE = 0.4
"""Score from which words that are neither a cause nor a status are taken for a text to rank."""
_STRONG, _FAIR = 0.8, 0.5
_STATUS = re.compile(r"\d+")
_COLOURS = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def explain(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="CAUSE | STATUS | TEXT",
            show_default=False,
            help="A cause (session.lost), a family (session), an HTTP status (400), or the text of an error.",
        ),
    ] = None,
    body: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="BODY", show_default=False, help="What the response said, or the size of its body in bytes."
        ),
    ] = None,
    output_format: Annotated[Format, typer.Option("--format", "-f", help="How to print it.")] = "text",
) -> None:
    """Explain a cause, or name the causes that fit a status and the text of a body, an error or a log line.

    Without an argument: every cause in one line.
    """
    text = " ".join(body or ())
    if what is None or (what in FAMILIES and not text):
        _put_list([cause for cause in catalogue().values() if what in {None, cause.family}], output_format)
    elif what in catalogue() and not text:
        _put_cause(catalogue()[what], output_format)
    elif _STATUS.fullmatch(what):
        _put_ranking(_status(what), text, output_format)
    else:
        _put_ranking(None, _known_text(f"{what} {text}".strip(), what), output_format)


def _status(word: str) -> int:
    if not 100 <= int(word) <= 599:
        msg = f"{word}: not an HTTP status"
        raise UsageError(msg, hint="give a number from 100 to 599: mcpdiag explain 400")
    return int(word)


def _known_text(text: str, word: str) -> str:
    """Return the text if it names a known error, else say which cause the word may have meant."""
    from woolly_mcpdiag.core.explain import rank

    ranked = rank(None, text)
    if ranked and ranked[0].score >= _TEXT_ALONE:
        return text
    close = [name for name in catalogue() if len(word) > 2 and name.startswith(word)][:3] or nearest(word)
    hint = f"did you mean {' or '.join(close)}?" if close else "list every cause: mcpdiag explain"
    msg = f"{word}: no cause of this name, and no known error says so"
    raise UsageError(msg, hint=hint)


def _put_list(causes: list[Cause], output_format: Format) -> None:
    from woolly_mcpdiag.report.causes_page import entry

    if output_format == "json":
        _put_json({"causes": [_row(cause) for cause in causes]})
    elif output_format == "md":
        _put("".join(f"- `{cause.name}`: {cause.title}\n" for cause in causes) if len(causes) > 1 else entry(causes[0]))
    else:
        _put(_listed(causes))


def _put_cause(cause: Cause, output_format: Format) -> None:
    from woolly_mcpdiag.report.causes_page import entry

    if output_format == "json":
        _put_json({"causes": [_row(cause)]})
    else:
        _put(entry(cause, level=1) if output_format == "md" else _entry(cause))


def _put_ranking(status: int | None, text: str, output_format: Format) -> None:
    from woolly_mcpdiag.core.explain import rank

    ranked = rank(status, text)
    if output_format == "json":
        rows = [{**_row(catalogue()[r.cause]), "score": r.score, "reasons": list(r.reasons)} for r in ranked]
        _put_json({"status": status, "text": text, "causes": rows})
    else:
        _put(_ranking_md(status, text, ranked) if output_format == "md" else _ranking(status, text, ranked))


def _row(cause: Cause) -> dict[str, object]:
    return {
        "name": cause.name,
        "family": cause.family,
        "title": cause.title,
        "severity": cause.severity,
        "benign": cause.benign,
        "what": cause.what,
        "why": cause.why,
        "sure": cause.sure,
        "client": cause.client,
        "server": cause.server,
        "deployment": cause.deployment,
        "references": list(cause.references),
        "statuses": list(cause.statuses),
        "bodies": list(cause.bodies),
    }


def _put_json(document: dict[str, object]) -> None:
    _put(json.dumps({"schema": SCHEMA, **document}, ensure_ascii=False, indent=2) + "\n")


def _put(text: str) -> None:
    from woolly_mcpdiag.report.escape import sound

    typer.echo(sound(text), nl=False)


def _console() -> "Console":
    from rich.console import Console

    from woolly_mcpdiag.cli.screen import colour_allowed, columns

    colour = colour_allowed(sys.stdout)
    return Console(
        width=columns(sys.stdout),
        highlight=False,
        force_terminal=colour,
        no_color=not colour,
        legacy_windows=False,
    )


def _listed(causes: list[Cause]) -> str:
    from rich.table import Table

    from woolly_mcpdiag.report.causes_page import FAMILY_TITLES

    console = _console()
    with console.capture() as captured:
        for family in FAMILIES:
            mine = [cause for cause in causes if cause.family == family]
            if not mine:
                continue
            console.print(_styled(FAMILY_TITLES[family], "bold"))
            table = Table.grid(padding=(0, 2))
            table.add_column(width=max(len(cause.name) for cause in causes) + 2)
            table.add_column()
            for cause in mine:
                title = f"{cause.title} (benign)" if cause.benign else cause.title
                table.add_row(_styled(f"  {cause.name}", "cyan"), _prose(title))
            console.print(table)
            console.print()
        console.print("One in full: mcpdiag explain CAUSE")
    return _trimmed(captured.get())


def _entry(cause: Cause) -> str:
    from woolly_mcpdiag.report.causes_page import advices

    console = _console()
    kind = "benign" if cause.benign else cause.severity
    with console.capture() as captured:
        console.print(_styled(cause.name, "bold") + "  " + _styled(kind, _COLOURS[cause.severity]))
        console.print(_prose(cause.title))
        for heading, text in (("What happened", cause.what), ("Why", cause.why), ("How to be sure", cause.sure)):
            _section(console, heading, _prose(text))
        _section(console, "What to do")
        for side, text in advices(cause) or [("", "Nothing: this is harmless.")]:
            _indented(console, (_styled(f"{side}: ", "bold") if side else _styled("", "")) + _prose(text))
        if cause.statuses:
            _section(console, "Shows as", _styled(", ".join(map(str, cause.statuses)), ""))
        if cause.references:
            _section(console, "References")
            for reference in cause.references:
                _indented(console, _styled(reference, ""))
    return _trimmed(captured.get())


def _section(console: "Console", heading: str, text: "Text | None" = None) -> None:
    console.print()
    console.print(_styled(heading, "bold"))
    if text is not None:
        _indented(console, text)


def _indented(console: "Console", text: "Text", by: int = 2) -> None:
    from rich.padding import Padding

    console.print(Padding(text, (0, 0, 0, by)))


def _ranking(status: int | None, text: str, ranked: list["Ranked"]) -> str:
    console = _console()
    with console.capture() as captured:
        console.print(_styled(_question(status, text, ranked), "bold"))
        for place, found in enumerate(ranked[:_SHOWN], start=1):
            cause = catalogue()[found.cause]
            console.print()
            benign = "  benign" if cause.benign else ""
            console.print(_styled(f"{place}. {cause.name}", "bold cyan") + f"  {_fit(found.score)} fit{benign}")
            _indented(console, _prose(cause.title), 3)
            _indented(console, _styled("because ", "bold") + _styled("; ".join(found.reasons), ""), 3)
            _indented(console, _styled("to be sure: ", "bold") + _prose(cause.sure), 3)
        rest = [found.cause for found in ranked[_SHOWN:]]
        if rest:
            _section(console, "Fits less", _styled(", ".join(rest), ""))
        if ranked:
            console.print()
            console.print(f"What to do: mcpdiag explain {ranked[0].cause}")
    return _trimmed(captured.get())


def _ranking_md(status: int | None, text: str, ranked: list["Ranked"]) -> str:
    from woolly_mcpdiag.report.escape import markdown, markdown_prose

    lines = [markdown(_question(status, text, ranked)), ""]
    for place, found in enumerate(ranked, start=1):
        reasons = markdown("; ".join(found.reasons))
        title = markdown_prose(catalogue()[found.cause].title)
        lines.append(f"{place}. `{found.cause}` ({_fit(found.score)} fit): {title}. Because {reasons}.")
    return "\n".join(lines).rstrip() + "\n"


def _question(status: int | None, text: str, ranked: list["Ranked"]) -> str:
    asked = " ".join(part for part in ("" if status is None else str(status), f'"{text}"' if text else "") if part)
    if not ranked:
        return f"{asked}: no cause in the catalogue shows like this. Every cause: mcpdiag explain"
    return f"{asked}: {len(ranked)} {'cause fits' if len(ranked) == 1 else 'causes fit'}, best first"


def _fit(score: float) -> str:
    return "strong" if score >= _STRONG else "fair" if score >= _FAIR else "weak"


def _styled(text: str, style: str) -> "Text":
    from rich.text import Text

    from woolly_mcpdiag.report.escape import printable

    # Not Text(text, style): that style would spread over whatever is added to it.
    return Text().append(printable(text), style or None)


def _prose(text: str) -> "Text":
    """Return our own text with its `code` in colour; the backticks stay, for those who see none."""
    shown = _styled(text, "")
    shown.highlight_regex(r"`[^`]+`", "cyan")
    return shown


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip("\n") + "\n"
