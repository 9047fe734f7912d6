"""Load with real clients: the SDK, the designs that people build with it, ``ResilientClient``, and the agents API."""

from woolly_mcpdiag.load.contract import Engine, Recorder, Share
from woolly_mcpdiag.load.plan import Plan


def factory(plan: Plan, share: Share, recorder: Recorder) -> Engine:
    """Return the engine of a share; libraries are loaded by ``prepare``."""
    from woolly_mcpdiag.load.tasks.engine import TaskEngine  # noqa: PLC0415 - mcp and httpx cost over a second

    return TaskEngine(plan, share, recorder)
