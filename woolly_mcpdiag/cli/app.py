"""The commands of ``mcpdiag``, each with the end of its help: examples and exit codes."""

from typing import Annotated

import typer

from woolly_mcpdiag import __version__
from woolly_mcpdiag.cli.analyze_logs import analyze_logs
from woolly_mcpdiag.cli.compare import compare
from woolly_mcpdiag.cli.demo import demo
from woolly_mcpdiag.cli.errors import EXIT_CODES, EdgeGroup
from woolly_mcpdiag.cli.explain import explain
from woolly_mcpdiag.cli.gate import gate
from woolly_mcpdiag.cli.light import LightCommand
from woolly_mcpdiag.cli.load import load
from woolly_mcpdiag.cli.report import report

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def manual(*examples: str) -> str:
    """Return the end of a help page; the backspace marks keep the lines as they are."""
    shown = "\n".join(f"  {example}" for example in examples)
    codes = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())
    return f"\b\nExamples:\n{shown}\n\n\b\nExit codes:\n{codes}"


app = typer.Typer(
    name="mcpdiag",
    cls=EdgeGroup,
    help='From "there is a 400 in my log" to a named cause, its evidence and the fix.',
    epilog=manual(
        "mcpdiag analyze-logs app.log",
        "mcpdiag load http://localhost:8009/sse/ -c 5",
        "mcpdiag gate --mcp http://localhost:8009/sse/",
    ),
    # None: plain help. rich would make --help three times as slow.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings=CONTEXT,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mcpdiag {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""


app.command(
    "analyze-logs",
    cls=LightCommand,
    short_help="From a log to the named cause, its evidence and the fix.",
    context_settings=CONTEXT,
    epilog=manual(
        "mcpdiag analyze-logs app.log",
        "mcpdiag analyze-logs client.log nginx/access.log.gz server.log -o report.html",
        "docker compose logs api | mcpdiag analyze-logs - -f json -o - -o report.md",
        "mcpdiag analyze-logs --follow app.log",
        "mcpdiag analyze-logs app.log --since 14:30 --fail-on session --fail-on unexplained",
    ),
)(analyze_logs)
app.command(
    "load",
    cls=LightCommand,
    short_help="Agents and MCP calls at once, measured, with the cause of each failure.",
    context_settings=CONTEXT,
    epilog=manual(
        "mcpdiag load --concurrency 5",
        "mcpdiag load http://localhost:8009/sse/ -c 20 -d 1m",
        "mcpdiag load --agent http://localhost:8000/api/v1/agents/execute --agent-type tester -c 5 -n 100",
        "mcpdiag load http://localhost:8009/mcp --rate 50/s -d 1m --threshold 'p95 < 1s' --events run.jsonl",
        "mcpdiag load http://localhost:8009/mcp --client naive,pooled",
    ),
)(load)
app.command(
    "gate",
    cls=LightCommand,
    short_help="The success criteria, judged with evidence; the exit code decides the merge.",
    context_settings=CONTEXT,
    epilog=manual(
        "mcpdiag gate",
        "mcpdiag gate --mcp http://localhost:8009/sse/ --agent http://localhost:8000/api/v1/agents/execute \\\n"
        "      --agent-type simplifier --agent-type tester --report-dir mcpdiag-report",
        "mcpdiag gate --plan --claim 2%",
        "mcpdiag gate --from run.jsonl",
        "mcpdiag gate --client naive",
    ),
)(gate)
app.command(
    "report",
    cls=LightCommand,
    short_help="A recorded run again, in any format.",
    context_settings=CONTEXT,
    epilog=manual("mcpdiag report run.jsonl", "mcpdiag report run.jsonl -o report.html -o metrics.prom"),
)(report)
app.command(
    "compare",
    cls=LightCommand,
    short_help="Two runs, or two targets in turns: better, worse, or no difference shown.",
    context_settings=CONTEXT,
    epilog=manual("mcpdiag compare before.jsonl after.jsonl", "mcpdiag compare --interleave URL_A URL_B --rounds 10"),
)(compare)
app.command(
    "explain",
    cls=LightCommand,
    short_help="The catalogue of causes, offline.",
    context_settings=CONTEXT,
    epilog=manual(
        "mcpdiag explain",
        "mcpdiag explain session.harvested-from-400",
        'mcpdiag explain 400 "No valid session ID provided"',
    ),
)(explain)
app.command(
    "demo",
    short_help="A practice target: agents API and MCP server, with faults to switch on.",
    context_settings=CONTEXT,
    epilog=manual(
        "mcpdiag demo",
        "mcpdiag demo --client naive",
        "mcpdiag demo --fault no-affinity --log demo.log",
        "mcpdiag demo --list",
    ),
)(demo)
