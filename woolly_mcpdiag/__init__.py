"""mcpdiag: from "there is a 400 in my log" to a named cause, a reproduction, a fix and a passing gate."""

__version__ = "0.1.0"
