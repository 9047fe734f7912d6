"""The one place for what a load asks of its targets: runs of agents, tools and their arguments, bodies."""

import json
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from woolly_mcpdiag.cli.load_typed import Typed, clash, idle
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.load.discovery import Asked
from woolly_mcpdiag.load.plan import CallSpec
from woolly_mcpdiag.load.templates import columns, filled_body, values

_MOST_SPECS = 1000


def agent_runs(typed: Typed) -> tuple[CallSpec, ...]:
    """Return the runs of the agents API: one a body, or one for each agent type, repository and query."""
    if typed.body is not None:
        for option, given in (
            ("--agent-type", typed.agent_types),
            ("--repository", typed.repositories),
            ("--query", typed.queries),
        ):
            if given:
                clash("--body", option, "the body says it all", f"leave {option} out, or --body")
        return (CallSpec(kind="agent", method="POST", body=_text("--body", typed.body)),)
    if typed.agent is not None and not typed.agent_types:
        msg = "--agent: which agent is to run is not said"
        raise UsageError(msg, hint="add --agent-type simplifier, or a whole body: --body @request.json")
    types = typed.agent_types or ("simplifier", "tester")
    parts = list(product(typed.repositories or ("demo",), typed.queries or ("Test {i}",), types))
    if len(parts) > _MOST_SPECS:
        msg = f"--agent-type, --repository and --query: {len(parts):,} combinations"
        raise UsageError(msg, hint="use --feed file.csv with {feed.COLUMN}")
    return tuple(
        CallSpec(
            kind="agent",
            method="POST",
            agent=agent,
            arguments={"agent_type": agent, "repository_name": repository, "user_query": query},
        )
        for repository, query, agent in parts
    )


def _text(option: str, given: str) -> str:
    """Return a text, or that of the file after an "@"; what looks like JSON must be JSON once it is filled in."""
    if given.startswith("@"):
        try:
            text = Path(given[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = (getattr(error, "strerror", None) or "is not UTF-8").lower()
            msg = f"{option} {given}: cannot be read: {reason}"
            raise InputError(msg, f"name a file after {option} @") from None
    else:
        text = given
    if text.lstrip().startswith(("{", "[")):
        sample = filled_body(text, values(0) | {f"feed.{name}": "0" for name in columns(text)})
        _json(option, sample)
    return text


def _json(option: str, text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{option}: is not JSON: {error}"
        raise UsageError(msg, hint=f"""write {option} '{{"name": "value"}}'""") from None


def tools(typed: Typed) -> tuple[Asked, ...]:
    """Return the tools that are named, each with its arguments where those are given."""
    if typed.args and not typed.tools:
        idle("--args", "--tool NAME")
    if len(set(typed.tools)) < len(typed.tools) and not typed.args:
        msg = "--tool: names the same tool twice"
        raise UsageError(msg, hint="name it once, or give each its own --args")
    if typed.args and len(typed.args) != len(typed.tools):
        msg = f"--args: {len(typed.args)} for {len(typed.tools)} tools"
        raise UsageError(msg, hint="give one --args after each --tool; --args auto makes them up")
    if not typed.args:
        return tuple(Asked(name=name) for name in typed.tools)
    return tuple(
        Asked(name=name, arguments=None if text == "auto" else _object("--args", _text("--args", text)))
        for name, text in zip(typed.tools, typed.args, strict=True)
    )


def _object(option: str, text: str) -> Mapping[str, Any]:
    found = _json(option, text)
    if not isinstance(found, dict):
        msg = f"{option}: is no JSON object but {text.strip()[:40]}"
        raise UsageError(msg, hint=f"""write {option} '{{"name": "value"}}'""")
    return found
