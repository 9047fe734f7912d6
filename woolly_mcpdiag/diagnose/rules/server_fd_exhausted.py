"""server.fd-exhausted: no file descriptors are left."""

from woolly_mcpdiag.diagnose.shapes import noted

decide = noted(
    "server.fd-exhausted",
    "server.error",
    ("too-many-files",),
    "{n:time|times} the process had no file descriptor left (Too many open files).",
    unit="errors",
    because=["The operating system says so."],
)
