"""``mcpdiag gate``: parse, look at the targets, play the scenes, print the verdicts, exit."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from woolly_mcpdiag.cli.errors import note
from woolly_mcpdiag.cli.interrupt import Interrupt
from woolly_mcpdiag.cli.load_typed import Typed, clash
from woolly_mcpdiag.cli.outputs import STDOUT, Output, Result, check_writable, planned, write
from woolly_mcpdiag.cli.screen import NARROWEST
from woolly_mcpdiag.core.errors import ExitCode, InputError, UsageError
from woolly_mcpdiag.report.formats import FORMATS

if TYPE_CHECKING:
    from woolly_mcpdiag.cli.gate_order import GateOrder
    from woolly_mcpdiag.cli.gate_run import Show
    from woolly_mcpdiag.core.verdicts import Verdict
    from woolly_mcpdiag.report.model import Report

Many = list[str] | None
Text = str | None
_REPORTS = ("report.html", "report.json", "report.md", "junit.xml")


def gate(
    mcp: Annotated[Text, typer.Option("--mcp", metavar="URL", help="The MCP server. Alone or beside --agent.")] = None,
    agent: Annotated[
        Text, typer.Option("--agent", metavar="URL", help="The agents API: one POST runs an agent.")
    ] = None,
    agent_types: Annotated[
        Many, typer.Option("--agent-type", metavar="TYPE", help="Agent to run; repeatable: each is judged.")
    ] = None,
    repositories: Annotated[
        Many, typer.Option("--repository", metavar="NAME", help="Its repository_name; default demo.")
    ] = None,
    queries: Annotated[Many, typer.Option("--query", metavar="TEXT", help="Its user_query; default: Test {i}.")] = None,
    body: Annotated[Text, typer.Option(metavar="@FILE|TEXT", help="The whole body of a run instead.")] = None,
    tools: Annotated[
        Many, typer.Option("--tool", metavar="NAME", help="Tool to call; without it those that only read.")
    ] = None,
    args: Annotated[
        Many, typer.Option("--args", metavar="JSON|@FILE", help="Its arguments, one for each --tool.")
    ] = None,
    allow: Annotated[
        Many, typer.Option("--allow", metavar="TOOL|all", help="Call this tool though it may be destructive.")
    ] = None,
    client: Annotated[
        Text,
        typer.Option(
            metavar="NAME", help="Design that calls the MCP server: pooled (default), naive, shared, per-call."
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Judge the naive client as well, and show both; the exit is the first's.")
    ] = False,
    fault: Annotated[
        Many, typer.Option("--fault", metavar="NAME[=VALUE]", help="Of the demo target: see mcpdiag demo --list.")
    ] = None,
    profile: Annotated[Text, typer.Option(metavar="NAME", help="Set of criteria: phase4 (default).")] = None,
    criteria: Annotated[
        Many, typer.Option("--criterion", metavar="ID", help="Only this one; repeatable. Default: all of the profile.")
    ] = None,
    config: Annotated[
        Text, typer.Option(metavar="FILE", help="Settings in TOML; mcpdiag.toml is read where it is there.")
    ] = None,
    thresholds: Annotated[
        Many, typer.Option("--threshold", metavar="EXPR", help="Judged beside the criteria: see mcpdiag load --help.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Count refused probes of the era as 400s.")] = False,
    confidence: Annotated[Text, typer.Option(metavar="PERCENT", help="Of the verdicts; default 95.")] = None,
    claim: Annotated[
        Text, typer.Option(metavar="PERCENT", help="Rate of failing waves that a pass rules out; default 1.")
    ] = None,
    waves: Annotated[Text, typer.Option(metavar="N", help="Small waves in place of what the claim needs.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be run, and how long it takes.")] = False,
    from_run: Annotated[
        Text, typer.Option("--from", metavar="RUN.jsonl", help="Judge a recorded run again; nothing is sent.")
    ] = None,
    baseline: Annotated[
        Text, typer.Option(metavar="FILE", help="Known findings in TOML; they do not fail, stale entries do.")
    ] = None,
    on_inconclusive: Annotated[
        Text, typer.Option(metavar="pass|fail", help="Exit 0 or 1 instead of 3 where the evidence decides nothing.")
    ] = None,
    events: Annotated[
        Text, typer.Option(metavar="FILE", help="Write the run log, for --from and analyze-logs.")
    ] = None,
    report_dir: Annotated[
        Text, typer.Option(metavar="FOLDER", help=f"Write {', '.join(_REPORTS)} and run.jsonl there.")
    ] = None,
    formats: Annotated[
        Many,
        typer.Option("--format", "-f", metavar="FORMAT", help=f"{', '.join(FORMATS)}; repeatable. Without it: text."),
    ] = None,
    outputs: Annotated[
        Many, typer.Option("--output", "-o", metavar="FILE", help="Where the format goes; - for stdout.")
    ] = None,
    headers: Annotated[
        Many, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="Sent with every request; never recorded.")
    ] = None,
    bearer_env: Annotated[
        Text, typer.Option(metavar="VARIABLE", help="Send the token in this environment variable.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Take any TLS certificate.")] = False,
    ca_file: Annotated[Text, typer.Option(metavar="FILE", help="Certificates to trust, in PEM form.")] = None,
    no_live: Annotated[bool, typer.Option("--no-live", help="Plain lines in place of the live view.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Everything in the text.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")] = False,
    width: Annotated[int | None, typer.Option(min=NARROWEST, metavar="N", help="Columns of the text.")] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR set.")] = False,
) -> None:
    """Judge the success criteria with evidence: zero 400s, parallel success, degradation, speed, logging.

    Without --mcp and --agent the demo is started and judged. Waves of simultaneous agents show what holds in parallel;
    for the outages a proxy stands before the MCP server. No evidence is never a pass: exit 3.
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"
    # Only now: the profile and its statistics would slow the start of every other command.
    from woolly_mcpdiag.cli.gate_order import gate_order

    asked = gate_order(
        Typed(
            url=mcp,
            agent=agent,
            agent_types=tuple(agent_types or ()),
            repositories=tuple(repositories or ()),
            queries=tuple(queries or ()),
            body=body,
            tools=tuple(tools or ()),
            args=tuple(args or ()),
            allow=tuple(allow or ()),
            faults=tuple(fault or ()),
            headers=tuple(headers or ()),
            bearer_env=bearer_env,
            insecure=insecure,
            ca_file=ca_file,
            thresholds=tuple(thresholds or ()),
        ),
        client=client,
        profile=profile,
        criteria=tuple(criteria) if criteria else None,
        config=config,
        strict=strict,
        confidence=confidence,
        claim=claim,
        waves=waves,
        baseline=baseline,
        on_inconclusive=on_inconclusive,
        from_run=from_run,
    )
    if plan:
        from woolly_mcpdiag.cli.gate_plan import put_plan

        put_plan(asked)
        return
    _check_recorded(from_run, compare=compare, client=client, events=events)
    if compare and asked.client == "naive":
        clash("--compare", "--client naive", "both sides would be the naive client", "leave one of them out")
    inputs = [from_run] if from_run else []
    chosen = planned(formats or [], outputs or [], inputs)
    log = _log(events)
    if report_dir:
        place = _folder(report_dir)
        chosen += planned([], [str(place / name) for name in _REPORTS], inputs)
        log = log or (None if from_run else place / "run.jsonl")
    check_writable([*chosen, Output(format="", path=str(log))] if log else chosen)
    from woolly_mcpdiag.cli.gate_run import Show

    with Interrupt() as interrupt:
        show = Show(live=not no_live, quiet=quiet, width=width, verbose=verbose)
        verdict = _judged(asked, chosen, log, interrupt, compare=compare, show=show)
    if verdict is None or interrupt.stopped:
        raise typer.Exit(ExitCode.INTERRUPTED)
    raise typer.Exit(exit_code(verdict, asked.on_inconclusive))


def exit_code(verdict: "Verdict", on_inconclusive: str | None) -> ExitCode:
    """Return the exit code of a verdict; what is not decided is no pass unless that is asked for."""
    if verdict == "inconclusive" and on_inconclusive is not None:
        return ExitCode.OK if on_inconclusive == "pass" else ExitCode.NO
    return {"pass": ExitCode.OK, "fail": ExitCode.NO, "inconclusive": ExitCode.INCONCLUSIVE}[verdict]


def _check_recorded(from_run: str | None, *, compare: bool, client: str | None, events: str | None) -> None:
    if from_run is None:
        return
    for option, given in (("--compare", compare), ("--client", client), ("--events", events)):
        if given:
            clash("--from", option, "a recorded run is judged, nothing is sent", "leave one of them out")


def _log(events: str | None) -> Path | None:
    if events == STDOUT:
        msg = "--events -: the run log needs a file"
        raise UsageError(msg, hint="write --events run.jsonl")
    return Path(events) if events else None


def _folder(name: str) -> Path:
    """Return the folder of the reports, made where it was not there."""
    place = Path(name)
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"--report-dir {name}: cannot be made: {(error.strerror or str(error)).lower()}"
        raise InputError(msg, hint="name another folder") from None
    return place


def _judged(
    asked: "GateOrder",
    plan: Sequence[Output],
    log: Path | None,
    interrupt: Interrupt,
    *,
    compare: bool,
    show: "Show",
) -> "Verdict | None":
    """Judge, print and write; returns the verdict, ``None`` where it was interrupted."""
    if asked.from_run is not None:
        from woolly_mcpdiag.cli.gate_again import again

        recorded, verdict = again(asked)
        result: Result = recorded
    else:
        from woolly_mcpdiag.cli.gate_run import play, play_both

        if compare:
            gated, other = play_both(asked, log, interrupt, show)
            from woolly_mcpdiag.cli.gate_plan import put_beside

            if any(output.path == STDOUT and output.format == "text" for output in plan):
                put_beside(asked.client, gated.loaded.judgements, "naive", other.loaded.judgements, show.width)
        else:
            gated = play(asked, log, interrupt, show)
        result, verdict = gated.loaded, gated.verdict
        if gated.loaded.interrupted:
            verdict = None
    written = write(
        plan,
        result,
        table="intervals",
        width=show.width,
        verbose=show.verbose,
        open_fails=asked.on_inconclusive != "pass",
    )
    if log is not None:
        written = [str(log), *written]
    if written and not show.quiet:
        note(f"wrote {', '.join(written)}")
    _tell_github(result.report)
    return verdict


def _tell_github(report: "Report") -> None:
    """Within a GitHub workflow: add to the summary of the step."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    from woolly_mcpdiag.report.github import summary

    try:
        with Path(place).open("a", encoding="utf-8") as out:
            out.write(summary(report))
    except OSError as error:
        note(f"{place}: the step summary cannot be written: {(error.strerror or str(error)).lower()}")
