import pytest

from woolly_mcpdiag.diagnose.rules.session_harvested import _client


@pytest.mark.parametrize(
    ("url", "warned"), [("http://h:1/sse/", True), ("http://h:1/sse", True), ("http://h:1/mcp", False)]
)
def test_the_fix_names_the_transport_so_that_no_library_infers_it_from_the_path(url: str, warned: bool):
    text = _client(url)
    assert f"`MCPToolset(Client(StreamableHttpTransport('{url}')))`" in text
    assert f"`streamable_http_client('{url}')`" in text
    assert ("taken for SSE" in text) is warned
