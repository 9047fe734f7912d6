"""The public Python API: typed options in, a report out; it never prints and never exits."""

from woolly_mcpdiag.api.logs import Analysis, Options, Paths, Progress, analyze_logs, follow_logs

__all__ = ["Analysis", "Options", "Paths", "Progress", "analyze_logs", "follow_logs"]
