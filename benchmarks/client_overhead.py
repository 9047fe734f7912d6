"""What the resilient client costs: a warm pooled call against a bare one, opening with shared TLS against cold.

    python benchmarks/client_overhead.py [ROUNDS]

The two are measured in turn, in blocks, so that a busy machine hits both alike; ratios are what counts.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
from client_scenario import Server  # noqa: E402

from woolly_mcpdiag.client.policy import PoolLimits  # noqa: E402
from woolly_mcpdiag.client.resilient import ResilientClient  # noqa: E402
from woolly_mcpdiag.wire.http import tls  # noqa: E402

BLOCK = 50
"""Calls in a block."""


async def timed(act: Callable[[], Awaitable[object]], times: int) -> float:
    """Return seconds for one of so many acts."""
    begun = time.perf_counter()
    for _ in range(times):
        await act()
    return (time.perf_counter() - begun) / times


async def calls(url: str, mode: str, rounds: int) -> None:
    """Compare warm calls."""
    ratios: list[float] = []
    pooled_ms: list[float] = []
    bare_ms: list[float] = []
    async with httpx2.AsyncClient(verify=tls(), timeout=30) as http:
        era = "handshake" if mode == "legacy" else mode
        async with (
            Client(streamable_http_client(url, http_client=http), mode=mode) as bare,
            ResilientClient(url, era=era, limits=PoolLimits(max_sessions=1)) as pooled,
        ):

            async def one_bare() -> None:
                await bare.call_tool("quick", {"message": "x"})

            async def one_pooled() -> None:
                await pooled.call_tool("quick", {"message": "x"})

            await timed(one_bare, BLOCK)
            await timed(one_pooled, BLOCK)
            for turn in range(rounds):
                first, second = (one_bare, one_pooled) if turn % 2 else (one_pooled, one_bare)
                took = {first: await timed(first, BLOCK), second: await timed(second, BLOCK)}
                ratios.append(took[one_pooled] / took[one_bare])
                pooled_ms.append(took[one_pooled] * 1e3)
                bare_ms.append(took[one_bare] * 1e3)
    print(
        f"{mode:12} bare {statistics.median(bare_ms):.3f} ms, pooled {statistics.median(pooled_ms):.3f} ms, "
        f"ratio median {statistics.median(ratios):.3f} of {rounds} rounds (from {min(ratios):.3f} to {max(ratios):.3f})"
    )


async def opens(rounds: int) -> None:
    """Compare what opening an HTTP client blocks the event loop for."""
    tls()
    cold: list[float] = []
    shared: list[float] = []
    for _ in range(rounds):
        begun = time.perf_counter()
        async with httpx2.AsyncClient():
            cold.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        async with httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(verify=tls())):
            shared.append(time.perf_counter() - begun)
    cold_ms, shared_ms = statistics.median(cold) * 1e3, statistics.median(shared) * 1e3
    print(f"open         cold {cold_ms:.2f} ms, shared TLS {shared_ms:.3f} ms, 1/{cold_ms / shared_ms:.0f}")


async def main(url: str, rounds: int) -> None:
    """Measure and print."""
    for mode in ("legacy", "2026-07-28"):
        await calls(url, mode, rounds)
    await opens(rounds)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        server = Server("http", Path(folder) / "done.txt")
        server.start()
        try:
            anyio.run(main, server.site.url, int(sys.argv[1]) if len(sys.argv) > 1 else 20)
        finally:
            server.kill()
