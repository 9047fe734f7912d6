"""The resilient client: pooled, ready, retrying, breaker-protected MCP sessions."""
