"""The one table of the commands: what the help says of each, and where it is; only the one asked for is loaded."""

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand

from woolly_mcpdiag.cli.errors import EXIT_CODES
from woolly_mcpdiag.cli.light import LightCommand

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
Function = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is known of a command before it is loaded."""

    short: str
    """Its line in the list of commands."""
    examples: tuple[str, ...]
    load: Callable[[], Function]
    cls: type[TyperCommand] = LightCommand


def manual(*examples: str) -> str:
    """Return the end of a help page; the backspace marks keep the lines as they are."""
    shown = "\n".join(f"  {example}" for example in examples)
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    return f"\b\nExamples:\n{shown}\n\n\b\nExit codes:\n{codes}"


class Commands(MutableMapping[str, Any]):
    """Name → command as typer has it, made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - typer's own class is private
        if name not in self._made:
            self._made[name] = _made(name, TABLE[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 - as above
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(TABLE)

    def __len__(self) -> int:
        return len(TABLE)


def _made(name: str, row: Command) -> Any:  # noqa: ANN401 - as above
    alone = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
    made = alone.command(
        name, cls=row.cls, short_help=row.short, context_settings=CONTEXT, epilog=manual(*row.examples)
    )
    made(row.load())
    return typer.main.get_command(alone)


def _analyze_logs() -> Function:
    from woolly_mcpdiag.cli.analyze_logs import analyze_logs

    return analyze_logs


def _load() -> Function:
    from woolly_mcpdiag.cli.load import load

    return load


def _gate() -> Function:
    from woolly_mcpdiag.cli.gate import gate

    return gate


def _report() -> Function:
    from woolly_mcpdiag.cli.report import report

    return report


def _compare() -> Function:
    from woolly_mcpdiag.cli.compare import compare

    return compare


def _explain() -> Function:
    from woolly_mcpdiag.cli.explain import explain

    return explain


def _demo() -> Function:
    from woolly_mcpdiag.cli.demo import demo

    return demo


TABLE = {
    "analyze-logs": Command(
        short="From a log to the named cause, its evidence and the fix.",
        examples=(
            "mcpdiag analyze-logs app.log",
            "mcpdiag analyze-logs client.log nginx/access.log.gz server.log -o report.html",
            "docker compose logs api | mcpdiag analyze-logs - -f json -o - -o report.md",
            "mcpdiag analyze-logs --follow app.log",
            "mcpdiag analyze-logs app.log --since 14:30 --fail-on session --fail-on unexplained",
        ),
        load=_analyze_logs,
    ),
    "load": Command(
        short="Agents and MCP calls at once, measured, with the cause of each failure.",
        examples=(
            "mcpdiag load --concurrency 5",
            "mcpdiag load http://localhost:8009/sse/ -c 20 -d 1m",
            "mcpdiag load --agent http://localhost:8000/api/v1/agents/execute --agent-type tester -c 5 -n 100",
            "mcpdiag load http://localhost:8009/mcp --rate 50/s -d 1m --threshold 'p95 < 1s' --events run.jsonl",
            "mcpdiag load http://localhost:8009/mcp --client naive,pooled",
        ),
        load=_load,
    ),
    "gate": Command(
        short="The success criteria, judged with evidence; the exit code decides the merge.",
        examples=(
            "mcpdiag gate",
            (
                "mcpdiag gate --mcp http://localhost:8009/sse/ --agent http://localhost:8000/api/v1/agents/execute \\\n"
                "      --agent-type simplifier --agent-type tester --report-dir mcpdiag-report"
            ),
            "mcpdiag gate --plan --claim 2%",
            "mcpdiag gate --from run.jsonl",
            "mcpdiag gate --client naive",
        ),
        load=_gate,
    ),
    "report": Command(
        short="A recorded run again, in any format.",
        examples=("mcpdiag report run.jsonl", "mcpdiag report run.jsonl -o report.html -o metrics.prom"),
        load=_report,
    ),
    "compare": Command(
        short="Two runs, or two targets in turns: better, worse, or no difference shown.",
        examples=(
            "mcpdiag compare before.jsonl after.jsonl",
            "mcpdiag compare --interleave URL_A URL_B --rounds 10",
        ),
        load=_compare,
    ),
    "explain": Command(
        short="The catalogue of causes, offline.",
        examples=(
            "mcpdiag explain",
            "mcpdiag explain session.harvested-from-400",
            'mcpdiag explain 400 "No valid session ID provided"',
        ),
        load=_explain,
    ),
    "demo": Command(
        short="A practice target: agents API and MCP server, with faults to switch on.",
        examples=(
            "mcpdiag demo",
            "mcpdiag demo --client naive",
            "mcpdiag demo --fault no-affinity --log demo.log",
            "mcpdiag demo --list",
        ),
        load=_demo,
        cls=TyperCommand,
    ),
}
