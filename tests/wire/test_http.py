import httpx2

from woolly_mcpdiag.wire.http import connections, shared_transport, tls


def test_one_tls_context_serves_the_process():
    assert tls() is tls()


def test_a_full_pool_of_sessions_fits_into_the_connections_with_room_for_those_that_close():
    # a standing stream, a call and a note for each of ten sessions
    assert connections(10) > 10 * 3


def test_the_transport_keeps_as_many_connections_as_it_may_open():
    transport = shared_transport(17)
    assert isinstance(transport, httpx2.AsyncHTTPTransport)
    assert transport._pool._max_connections == 17
