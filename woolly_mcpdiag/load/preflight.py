"""The one look at the targets before a load: can they be loaded at all, how do they speak, which tools answer."""

import contextlib
import json
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.from_thread
from anyio.lowlevel import current_token

from woolly_mcpdiag.core.errors import McpdiagError, TargetAwayError, UsageError
from woolly_mcpdiag.load import discovery, refusals
from woolly_mcpdiag.load.handshake import Clock, Era, Talk, explained, talk
from woolly_mcpdiag.load.plan import AgentTarget, CallSpec, Connection, McpTarget
from woolly_mcpdiag.load.templates import filled, filled_body, values
from woolly_mcpdiag.wire.probe import Look, Prober

WITHIN = 3.8
"""Seconds for everything; with the start of Python and the end of the command it stays below 5."""
_PAGES = 50
_AGAIN, _PAUSE = 2, 0.3
_NAMES = 2.5
"""Seconds for the name service."""
_SHOWN = 3
_TRIED = 24
"""Tools that are tried at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be looked at."""

    mcp: Connection | None = None
    era: Era = "auto"
    tools: tuple[discovery.Asked, ...] = ()
    allow: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """Requests of the protocol that are called in place of tools: ``ping``, ``tools/list``, ..."""
    prefer: tuple[str, ...] = ()
    """Tools that are taken where nothing is asked for and the server has them."""
    agent: Connection | None = None
    runs: tuple[CallSpec, ...] = ()
    """Of the agents API; each is tried once."""
    seed: int = 0
    row: Mapping[str, str] = field(default_factory=dict)
    """First row of the feed."""
    connect: float = 2.0
    event: float = 5.0


@dataclass(slots=True, kw_only=True)
class Found:
    """What the look has shown."""

    mcp: McpTarget | None = None
    agent: AgentTarget | None = None
    calls: tuple[CallSpec, ...] = ()
    """Of the MCP server."""
    notes: list[str] = field(default_factory=list)
    errors: list[McpdiagError] = field(default_factory=list)


def look(wanted: Wanted, within: float = WITHIN) -> Found:
    """Look at the targets; takes ``within`` seconds at most, whatever they do.

    Each tool whose arguments are made up is called once, as is each kind of run of the agents API. A target that only
    fails sometimes is no obstacle: that is what a load is for. Raises ``AwayError`` for one that cannot be loaded, with
    the cause, and ``UsageError`` where nothing may be called.
    """
    found = Found()
    anyio.run(_look, wanted, found, within)
    if found.errors:
        raise _joined(found.errors)
    return found


async def _look(wanted: Wanted, found: Found, within: float) -> None:
    clock = Clock(within)
    async with anyio.create_task_group() as tasks:
        if wanted.mcp is not None:
            tasks.start_soon(_kept, found, _look_at_mcp(wanted, wanted.mcp, found, clock))
        if wanted.agent is not None:
            tasks.start_soon(_kept, found, _look_at_agents(wanted, wanted.agent, found, clock))


async def _kept(found: Found, looking: Any) -> None:  # noqa: ANN401 - a coroutine of either kind
    try:
        await looking
    except McpdiagError as error:
        found.errors.append(error)


def _joined(errors: Sequence[McpdiagError]) -> McpdiagError:
    """Return one error; both targets may be away."""
    if len(errors) == 1:
        return errors[0]
    message = "; ".join(error.message for error in errors)
    hint = "; ".join(dict.fromkeys(error.hint for error in errors if error.hint))
    if not all(isinstance(error, TargetAwayError) for error in errors):
        return UsageError(message, hint)
    return TargetAwayError(message, hint)


async def _look_at_mcp(wanted: Wanted, at: Connection, found: Found, clock: Clock) -> None:
    await _resolved(at, clock)
    async with _prober(wanted, at) as prober, talk(prober, at.url, wanted.era, clock, wanted.event) as begun:
        found.notes += begun.notes
        if wanted.methods:
            tools: list[Mapping[str, Any]] = []
            found.calls = tuple(CallSpec(kind="mcp", method=name, idempotent=True) for name in wanted.methods)
        else:
            tools = await _tools(begun, wanted, found, clock)
        found.mcp = McpTarget(
            at=replace(at, url=begun.url),
            transport=begun.transport,
            version=begun.version,
            modern=begun.modern,
            server=begun.server,
            tools=tuple(tools),
        )


def _prober(wanted: Wanted, at: Connection) -> Prober:
    try:
        return Prober(
            headers=at.headers,
            verify=at.verify,
            ca_file=at.ca_file,
            proxy=at.proxy,
            connect=min(wanted.connect, 2.0),
        )
    except OSError as error:
        msg = f"--ca-file {at.ca_file}: cannot be used: {error.strerror or error}"
        raise UsageError(msg, hint="name a file with certificates in PEM form") from None


async def _tools(begun: Talk, wanted: Wanted, found: Found, clock: Clock) -> list[Mapping[str, Any]]:
    """Return the server's tools, and put the calls that they allow into what was found."""
    tools, failure = await _listed(begun, clock)
    for _ in range(_AGAIN):
        if failure is None or tools:
            break
        # A session may take a moment until it is ready, or be known to one server process of several.
        await anyio.sleep(clock.left(_PAUSE))
        tools, failure = await _listed(begun, clock)
    if failure is not None and not tools:
        if wanted.tools:
            found.notes.append(f"tools/list failed ({failure}): --tool is taken as it is")
            found.calls = tuple(
                CallSpec(kind="mcp", name=one.name, arguments=dict(one.arguments or {})) for one in wanted.tools
            )
            return []
        found.notes.append(f"tools/list failed ({failure}), so no tool is known: the load calls tools/list itself")
        found.calls = (CallSpec(kind="mcp", method="tools/list", idempotent=True),)
        return []
    asked = wanted.tools or tuple(discovery.Asked(name=name) for name in wanted.prefer if name in _named(tools))
    choice = discovery.chosen(tools, asked, wanted.allow)
    found.notes += choice.notes
    bad = await _that_refuse(begun, wanted, choice, clock)
    kept = tuple(call for call in choice.calls if call.name not in bad)
    if bad and kept and not wanted.tools:
        found.notes.append(
            f"left out, as made-up arguments got isError (server.tool-error): {_told(bad)}; --tool NAME takes them in"
        )
    elif bad:
        found.notes.append(
            f"called as they are, though made-up arguments got isError (server.tool-error): {_told(bad)}; "
            "--tool NAME --args gives them others"
        )
        kept = choice.calls
    found.calls = kept
    return tools


def _told(bad: Mapping[str, str]) -> str:
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    return "; ".join(f"{name}: {why}" for name, why in list(bad.items())[:_SHOWN]) + more


def _named(tools: Sequence[Mapping[str, Any]]) -> set[str]:
    return {str(tool.get("name", "")) for tool in tools}


async def _listed(begun: Talk, clock: Clock) -> tuple[list[Mapping[str, Any]], str | None]:
    """Return the tools, and why they could not be listed (whole)."""
    tools: list[Mapping[str, Any]] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = await begun.ask("tools/list", {"cursor": cursor} if cursor else {}, clock.left(2.0))
        rows = page.result.get("tools") if page.result is not None else None
        if not isinstance(rows, list):
            error = page.reply.get("error")
            if isinstance(error, dict) and error.get("code") == -32601:
                return tools, None
            return tools, _why(page)
        tools += [row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str) and row["name"]]
        cursor = page.result.get("nextCursor") if page.result is not None else None
        if not cursor:
            break
    return tools, None


def _why(page: Look) -> str:
    error = page.reply.get("error")
    if isinstance(error, dict):
        return f"JSON-RPC error {error.get('code')}: {refusals.excerpt(str(error.get('message', '')))}"
    if page.error:
        return refusals.excerpt(page.detail or page.error)
    return f"HTTP {page.status}: {refusals.excerpt(page.text)}"


async def _that_refuse(begun: Talk, wanted: Wanted, choice: discovery.Choice, clock: Clock) -> dict[str, str]:
    """Return the tools that answer the first call with an error of their own; slow and failing ones are no such."""
    bad: dict[str, str] = {}
    given = values(0, 0, wanted.seed, wanted.row)

    async def attempt(call: CallSpec) -> None:
        params = {"name": call.name, "arguments": filled(call.arguments, given)}
        seen = await begun.ask("tools/call", params, clock.left(1.5))
        result, error = seen.result, seen.reply.get("error")
        if result is not None and result.get("isError"):
            bad[call.name] = refusals.excerpt(_said(result), 70)
        elif isinstance(error, dict) and error.get("code") == -32602:
            bad[call.name] = refusals.excerpt(str(error.get("message", "")), 70)

    async with anyio.create_task_group() as tasks:
        for call in choice.calls[:_TRIED]:
            if call.name in choice.made_up:
                tasks.start_soon(attempt, call)
    return {call.name: bad[call.name] for call in choice.calls if call.name in bad}


def _said(result: Mapping[str, Any]) -> str:
    content = result.get("content")
    texts = (
        [str(part.get("text", "")) for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    )
    return " ".join(texts)


async def _look_at_agents(wanted: Wanted, at: Connection, found: Found, clock: Clock) -> None:
    await _resolved(at, clock)
    given = values(0, 0, wanted.seed, wanted.row)
    async with _prober(wanted, at) as prober, anyio.create_task_group() as tasks:
        for run in wanted.runs[:_TRIED]:
            tasks.start_soon(_kept, found, _try_agent(prober, at, run, given, found, clock))
    found.errors[:] = list({error.message: error for error in found.errors}.values())
    found.agent = AgentTarget(at=at)


async def _try_agent(
    prober: Prober, at: Connection, run: CallSpec, given: Mapping[str, str], found: Found, clock: Clock
) -> None:
    body = filled_body(run.body, given) if run.body else json.dumps(filled(run.arguments, given), ensure_ascii=False)
    # Headers of ours that are given in an option win; the probe's own are only defaults.
    seen = await prober.post(at.url, body, {"accept": "application/json"}, within=clock.left(3.5))
    url, who = refusals.shown(at.url), f" {run.agent}" if run.agent else ""
    if seen.error == "TimeoutError":
        found.notes.append(f"{url}: the first run{who} is not done after {seen.took:.1f} s; loading it all the same")
        return
    if seen.error or refusals.may_be_tls(seen):
        raise await explained(seen, clock)
    if seen.location:
        message = f"{url}: redirects (HTTP {seen.status}) to {refusals.shown(seen.location)}"
        raise refusals.AwayError(message, "give that URL", "transport.redirect")
    if seen.status in refusals.HOPELESS:
        raise refusals.refused(seen)
    if seen.status in {404, 405, 406, 415, 422, 501}:
        raise _refused_run(seen, who)
    if seen.status < 300 and "html" in seen.content_type:
        message = f"{url}: is no agents API: POST answered HTTP {seen.status} with a web page"
        raise refusals.AwayError(message, "give the URL that runs an agent: …/api/v1/agents/execute")
    if seen.status >= 300:
        found.notes.append(
            f"{url}: the first run{who} was answered HTTP {seen.status}"
            f"{': ' + refusals.excerpt(seen.text) if seen.text else ''}; loading it all the same"
        )


def _refused_run(seen: Look, who: str) -> refusals.AwayError:
    url = refusals.shown(seen.url)
    if seen.status == 422:
        hint = "give the body it wants: --agent-type, --repository, --query, or --body @file.json"
        return refusals.AwayError(
            f"{url}: refuses the body of the run{who} (HTTP 422): {refusals.excerpt(seen.text)}", hint
        )
    hint = "give the URL that runs an agent, for example …/api/v1/agents/execute"
    return refusals.AwayError(f"{url}: is no agents API: POST answered HTTP {seen.status}", hint)


async def _resolved(at: Connection, clock: Clock) -> None:
    """Raise where the host name has no address.

    In a thread that nobody waits for: the system's own look-up cannot be stopped and may take half a minute.
    """
    parts = urlsplit(at.url)
    host = parts.hostname or ""
    if at.proxy or not host:
        return
    answer: list[str] = []
    done, here = anyio.Event(), current_token()

    def ask() -> None:
        try:
            socket.getaddrinfo(host, parts.port or 80, type=socket.SOCK_STREAM)
            answer.append("")
        except (OSError, UnicodeError) as error:
            answer.append(getattr(error, "strerror", None) or str(error))
        with contextlib.suppress(RuntimeError):
            # It may come when nobody waits any more.
            anyio.from_thread.run_sync(done.set, token=here)

    threading.Thread(target=ask, daemon=True).start()
    with anyio.move_on_after(clock.left(_NAMES)):
        await done.wait()
    if not answer or answer[0]:
        raise refusals.unresolved(at.url, answer[0] if answer else f"no answer from the name service within {_NAMES} s")
