"""What the demo's tests share: one demo without faults for a whole module, and a client to ask it with."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.serve import Running, serve


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def healthy(anyio_backend: str) -> AsyncIterator[Running]:
    """A demo that works: both transports, both eras."""
    async with serve(Options()) as running:
        yield running


@pytest.fixture(scope="module")
async def http(anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=5, trust_env=False, verify=False) as client:
        yield client
