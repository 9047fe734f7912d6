"""The practice target: a real agents API on a real MCP server, with faults that can be switched on."""
