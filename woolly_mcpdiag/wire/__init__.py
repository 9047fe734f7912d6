"""The one door to ``httpx2`` and ``mcp``: sessions over either transport and either era, and what HTTP really said."""
