"""client.pool-exhausted: the HTTP client's connection pool is full, mostly of open streams."""

from woolly_mcpdiag.diagnose.shapes import noted

decide = noted(
    "client.pool-exhausted",
    "call.failed",
    ("PoolTimeout",),
    "{n:call|calls} waited for a free connection in the client's own pool and gave up (PoolTimeout). {n:~It|They} never left the client.",
    because=[
        "PoolTimeout is raised before anything is sent; every open SSE stream occupies one connection of the pool."
    ],
)
