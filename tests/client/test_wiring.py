import httpx2
import pytest

from woolly_mcpdiag.client.policy import PoolLimits
from woolly_mcpdiag.client.resilient import ResilientClient
from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.wire.http import connections, shared_transport, tls

URL = "http://localhost:1/mcp"


def own(most: int | None, **more) -> httpx2.AsyncHTTPTransport:
    return httpx2.AsyncHTTPTransport(verify=tls(), limits=httpx2.Limits(max_connections=most), **more)


@pytest.mark.parametrize("proxy", [None, "http://proxy.test:3128"])
def test_a_transport_whose_connections_the_streams_would_take_up_is_refused(proxy):
    with pytest.raises(UsageError, match="http: its pool has 19 connections, 10 sessions need 20") as refused:
        ResilientClient(URL, http=own(19, proxy=proxy))
    assert f"max_connections={connections(10)}" in refused.value.hint
    assert ResilientClient(URL, http=own(20, proxy=proxy)).limits.max_sessions == 10


def test_the_modern_era_has_no_streams_and_needs_half_as_many():
    assert ResilientClient(URL, http=own(10), era="modern").url == URL
    with pytest.raises(UsageError, match="10 sessions need 20"):
        ResilientClient(URL, http=own(10), era="handshake")


def test_a_transport_without_a_limit_or_that_does_not_tell_is_taken():
    class Unknown(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request):
            raise NotImplementedError

    for http in (own(None), Unknown(), shared_transport(connections(50))):
        assert ResilientClient(URL, http=http, limits=PoolLimits(max_sessions=50)).url == URL
