"""The wire engine: our own HTTP/1.1, JSON-RPC and event streams on an event loop of our own, for throughput."""

from woolly_mcpdiag.load.engine.engine import WireEngine, factory

__all__ = ["WireEngine", "factory"]
