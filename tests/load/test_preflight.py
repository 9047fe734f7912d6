"""Real servers on this machine: the demo, and small ones that answer wrongly."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.core.errors import ExitCode, McpdiagError, TargetAwayError, UsageError
from woolly_mcpdiag.demo.process import Address, demo_process
from woolly_mcpdiag.load.discovery import Asked
from woolly_mcpdiag.load.plan import CallSpec, Connection
from woolly_mcpdiag.load.preflight import Found, Wanted, look
from woolly_mcpdiag.load.refusals import AwayError

PEM = Path(__file__).with_name("loopback.pem")
RUN = CallSpec(
    kind="agent",
    method="POST",
    agent="tester",
    arguments={"agent_type": "tester", "repository_name": "demo", "user_query": "Test {i}"},
)
Answer = Callable[[BaseHTTPRequestHandler, dict], None]


def seen(url: str, within: float = 3.0, **more) -> Found:
    return look(Wanted(mcp=Connection(url=url), **more), within)


def away(url: str, within: float = 3.0, **more) -> AwayError:
    with pytest.raises(AwayError) as caught:
        seen(url, within, **more)
    assert caught.value.exit_code == ExitCode.AWAY
    if caught.value.cause:
        assert caught.value.cause in catalogue()
        assert f"mcpdiag explain {caught.value.cause}" in caught.value.hint
    return caught.value


@contextmanager
def serving(answer: Answer, *, tls: bool = False) -> Iterator[str]:
    """Serve what ``answer`` writes for each request; the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # One segment an answer: two would wait for each other's acknowledgement, 40 ms.
        wbufsize = 65_536

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ValueError):
                self.close_connection = True

        def do_POST(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(size)
            answer(self, json.loads(body) if body[:1] == b"{" else {})

        do_GET = do_DELETE = do_POST  # noqa: N815 - as http.server names them

        def log_message(self, *_args) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_args) -> None:
            return

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def put(
    handler: BaseHTTPRequestHandler, status: int, body: str = "", kind: str = "application/json", **headers
) -> None:
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(body.encode())))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body.encode())
    handler.wfile.flush()


def result(message: dict, **found) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": message.get("id"), "result": found})


def server_with(tools: list[dict], call: Callable[[dict], dict] = lambda _: {"content": []}) -> Answer:
    """A Streamable HTTP server of the handshake era without sessions."""

    def answer(handler: BaseHTTPRequestHandler, message: dict) -> None:
        method = message.get("method", "")
        if method == "initialize":
            about = {"name": "small", "version": "1"}
            put(handler, 200, result(message, protocolVersion="2025-06-18", capabilities={}, serverInfo=about))
        elif method == "tools/list":
            put(handler, 200, result(message, tools=tools))
        elif method == "tools/call":
            put(handler, 200, result(message, **call(message["params"])))
        elif "id" in message:
            put(handler, 400, "{}")
        else:
            put(handler, 202)

    return answer


def reading(name: str, **schema) -> dict:
    return {"name": name, "inputSchema": {"type": "object", **schema}, "annotations": {"readOnlyHint": True}}


@pytest.fixture(scope="module")
def demo() -> Iterator[Address]:
    with demo_process() as address:
        yield address


def test_the_demo_is_found_with_its_era_tools_and_agents(demo):
    found = look(Wanted(mcp=Connection(url=demo.mcp_url), agent=Connection(url=demo.api_url), runs=(RUN,)))
    assert found.mcp is not None
    assert (found.mcp.transport, found.mcp.modern, found.mcp.version) == ("streamable", True, "2026-07-28")
    assert found.mcp.server == "mcpdiag-demo 1.0.0"
    assert len(found.mcp.tools) == 9
    assert {call.name for call in found.calls} >= {"search_code", "find_entities", "qa_codebase", "slow"}
    assert not {call.name for call in found.calls} & {"counter", "failing"}
    assert any("counter" in note for note in found.notes)
    assert any("failing" in note and "server.tool-error" in note for note in found.notes)
    assert found.agent is not None


def test_the_handshake_era_is_taken_where_it_is_asked_for(demo):
    found = seen(demo.mcp_url, era="handshake", tools=(Asked(name="find_entities"),))
    assert found.mcp is not None
    assert (found.mcp.modern, found.mcp.version) == (False, "2025-11-25")


def test_legacy_sse_is_found_whatever_the_path_says(demo):
    found = seen(f"{demo.base}/sse/", tools=(Asked(name="find_entities"), Asked(name="search_code")))
    assert found.mcp is not None
    assert (found.mcp.transport, found.mcp.version) == ("sse", "2025-11-25")
    assert [(call.name, call.arguments) for call in found.calls] == [
        ("find_entities", {"repository_name": "test"}),
        ("search_code", {"repository_name": "test", "query": "test"}),
    ]


def test_a_redirect_within_the_origin_is_followed_and_told(demo):
    found = seen(f"{demo.base}/mcp/", tools=(Asked(name="find_entities"),))
    assert found.mcp is not None
    assert found.mcp.at.url == f"{demo.base}/mcp"
    assert "transport.redirect" in found.notes[0]


def test_a_wrong_path_is_told_with_the_right_one(demo):
    error = away(f"{demo.base}/nothing")
    assert error.cause == "transport.wrong-path"
    assert f"use {demo.base}/mcp, which speaks MCP" in error.hint


def test_an_agents_api_given_as_mcp_is_refused(demo):
    assert "HTTP 422" in away(demo.api_url).message


@pytest.mark.parametrize("path", ["/mcp", "/nothing"])
def test_what_is_no_agents_api_is_refused(demo, path):
    with pytest.raises(AwayError, match="is no agents API"):
        look(Wanted(agent=Connection(url=demo.base + path), runs=(RUN,)))


def test_a_body_that_the_agents_api_refuses_is_told_with_its_reason(demo):
    with pytest.raises(AwayError, match=r"HTTP 422.*choose from simplifier"):
        look(
            Wanted(
                agent=Connection(url=demo.api_url),
                runs=(CallSpec(kind="agent", body='{"agent_type": "x", "repository_name": "r", "user_query": "{i}"}'),),
            )
        )


def test_both_targets_away_are_told_in_one_message():
    nothing = Connection(url=f"http://127.0.0.1:{closed_port()}/mcp")
    other = Connection(url=f"http://127.0.0.1:{closed_port()}/execute")
    with pytest.raises(TargetAwayError, match=r"/mcp: no connection.*/execute: no connection"):
        look(Wanted(mcp=nothing, agent=other, runs=(RUN,)))


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_nothing_listens():
    error = away(f"http://127.0.0.1:{closed_port()}/mcp")
    assert error.cause == "net.refused"
    assert "connection refused" in error.message


def test_a_name_without_address():
    assert away("http://nothing.invalid/mcp").cause == "net.dns"


def test_a_port_that_takes_no_connection():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            assert away(f"http://127.0.0.1:{port}/mcp", connect=0.3).cause == "net.connect-timeout"
        finally:
            for each in waiting:
                each.close()


def test_a_server_that_never_answers_is_given_up_within_its_time():
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(5)
        error = away(f"http://127.0.0.1:{mute.getsockname()[1]}/mcp", 0.4)
    assert error.cause == "net.read-timeout"


def test_https_on_a_plain_port():
    with serving(server_with([])) as base:
        error = away(base.replace("http:", "https:") + "/mcp")
    assert error.cause == "net.tls-mismatch"
    assert f"write {base}/mcp" in error.hint


def test_http_on_a_tls_port():
    with serving(server_with([]), tls=True) as base:
        error = away(base.replace("https:", "http:") + "/mcp")
    assert error.cause == "net.tls-mismatch"
    assert f"write {base}/mcp" in error.hint


def test_a_certificate_that_is_not_trusted_and_the_two_ways_on():
    with serving(server_with([reading("look")]), tls=True) as base:
        error = away(f"{base}/mcp")
        assert error.cause == "net.tls-mismatch"
        assert "self-signed certificate" in error.message
        assert "--ca-file" in error.hint
        trusted = look(Wanted(mcp=Connection(url=f"{base}/mcp", ca_file=str(PEM))))
        anyhow = look(Wanted(mcp=Connection(url=f"{base}/mcp", verify=False)))
    assert [call.name for call in trusted.calls] == [call.name for call in anyhow.calls] == ["look"]


def test_a_file_without_certificates_is_wrong_usage(tmp_path):
    (tmp_path / "ca.pem").write_text("none")
    with pytest.raises(UsageError, match=r"--ca-file .*ca.pem: cannot be used"):
        look(Wanted(mcp=Connection(url="https://127.0.0.1:1/", ca_file=str(tmp_path / "ca.pem"))))


@pytest.mark.parametrize(
    ("status", "cause"),
    [(401, "auth.required"), (403, "auth.forbidden"), (404, "transport.wrong-path"), (502, "proxy.upstream-down")],
)
def test_a_refusal_is_told_with_its_cause(status, cause):
    with serving(lambda handler, _: put(handler, status, '{"error":{"message":"no way in"}}')) as base:
        error = away(f"{base}/mcp")
    assert error.cause == cause
    assert f"HTTP {status}" in error.message
    assert "no way in" in error.message


@pytest.mark.parametrize(
    ("kind", "body", "fact"), [("text/html", "<p>hi", "web page"), ("application/json", '{"a":1}', "no JSON-RPC")]
)
def test_a_page_and_a_json_api_are_not_mcp(kind, body, fact):
    with serving(lambda handler, _: put(handler, 200, body, kind)) as base:
        error = away(f"{base}/")
    assert "is not MCP" in error.message
    assert fact in error.message


def test_a_redirect_to_another_origin_is_not_followed():
    with serving(lambda handler, _: put(handler, 307, location="http://192.0.2.1/mcp")) as base:
        error = away(f"{base}/mcp")
    assert error.cause == "transport.redirect"
    assert "http://192.0.2.1/mcp" in error.message


@pytest.mark.parametrize(("posted", "cause"), [(405, "proxy.buffering"), (404, "transport.mismatch")])
def test_an_event_stream_that_names_no_endpoint(posted, cause):
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler, _: dict) -> None:
        if handler.command == "POST":
            put(handler, posted)
            return
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(b": open\n\n")
        handler.wfile.flush()
        over.wait(5)

    with serving(answer) as base:
        try:
            error = away(f"{base}/sse", 0.4, era="handshake")
        finally:
            over.set()
    assert error.cause == cause
    assert "no endpoint event came" in error.message


def test_a_busy_server_is_asked_again():
    calls = []

    def answer(handler: BaseHTTPRequestHandler, message: dict) -> None:
        calls.append(message.get("method"))
        if calls.count("initialize") < 2 and message.get("method") == "initialize":
            put(handler, 503)
        else:
            server_with([reading("look")])(handler, message)

    with serving(answer) as base:
        assert [call.name for call in seen(f"{base}/mcp", era="handshake").calls] == ["look"]


def test_tools_that_cannot_be_listed_make_the_list_itself_the_call():
    def answer(handler: BaseHTTPRequestHandler, message: dict) -> None:
        if message.get("method") == "tools/list":
            put(handler, 400, '{"error":{"message":"not ready"}}')
        else:
            server_with([])(handler, message)

    with serving(answer) as base:
        found = seen(f"{base}/mcp", 1.0)
    assert [call.method for call in found.calls] == ["tools/list"]
    assert "HTTP 400: not ready" in found.notes[0]


def test_a_tool_that_refuses_made_up_arguments_is_left_out_unless_it_is_named():
    def call(params: dict) -> dict:
        return {"content": [{"type": "text", "text": "no such file"}], "isError": params["name"] == "open"}

    with serving(server_with([reading("look"), reading("open")], call)) as base:
        left = seen(f"{base}/mcp")
        named = seen(f"{base}/mcp", tools=(Asked(name="open", arguments={}),))
        bare = seen(f"{base}/mcp", tools=(Asked(name="open"),))
    assert [each.name for each in left.calls] == ["look"]
    assert "open: no such file" in left.notes[-1]
    assert [each.name for each in named.calls] == [each.name for each in bare.calls] == ["open"]
    assert not named.notes
    assert "called as they are" in bare.notes[0]


def test_a_server_without_a_tool_that_may_be_called_is_wrong_usage():
    with serving(server_with([{"name": "drop"}])) as base, pytest.raises(UsageError, match="none of the 1 says"):
        seen(f"{base}/mcp")


def test_a_request_of_the_protocol_takes_the_place_of_tools():
    with serving(server_with([])) as base:
        found = seen(f"{base}/mcp", methods=("ping",))
    assert [(call.method, call.name) for call in found.calls] == [("ping", "")]


def test_headers_are_sent_and_never_told():
    def answer(handler: BaseHTTPRequestHandler, message: dict) -> None:
        if handler.headers.get("authorization") == "Bearer abcdefgh12345678":
            server_with([reading("look")])(handler, message)
        else:
            put(handler, 401)

    with serving(answer) as base:
        at = Connection(url=f"{base}/mcp?key=abcdefgh12345678", headers={"authorization": "Bearer abcdefgh12345678"})
        assert look(Wanted(mcp=at)).calls
        with pytest.raises(McpdiagError) as caught:
            look(Wanted(mcp=Connection(url=at.url)))
    assert "abcdefgh12345678" not in caught.value.message + caught.value.hint


def test_a_slow_run_of_an_agent_is_no_obstacle():
    over = threading.Event()

    def answer(handler: BaseHTTPRequestHandler, _: dict) -> None:
        over.wait(5)
        put(handler, 200, "{}")

    with serving(answer) as base:
        try:
            found = look(Wanted(agent=Connection(url=f"{base}/execute"), runs=(RUN,)), 0.3)
        finally:
            over.set()
    assert found.agent is not None
    assert "is not done after" in found.notes[0]
