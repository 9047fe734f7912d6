"""What a log record says about MCP connectivity: the one place where message texts become events."""

from woolly_mcpdiag.logs.recognise.recogniser import LITERALS, Recogniser

__all__ = ["LITERALS", "Recogniser"]
