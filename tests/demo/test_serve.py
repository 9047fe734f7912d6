import logging
import socket
import threading

import anyio
import httpx2
import pytest

from woolly_mcpdiag.core.errors import UsageError
from woolly_mcpdiag.demo.listen import bind
from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.process import demo_process
from woolly_mcpdiag.demo.serve import serve

pytestmark = pytest.mark.anyio

ASKED = {"agent_type": "simplifier", "repository_name": "woolly", "user_query": "session"}
STREAM = {"accept": "text/event-stream"}


def _refused(url: str) -> bool:
    host, port = url.split("/")[2].split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


async def test_everything_listens_on_loopback_only(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("stream-cut",))) as running:
        hosts = {url.split("/")[2].split(":")[0] for url in (running.api_url, running.base, running.mcp.url)}
    assert hosts == {"127.0.0.1"}


async def test_nothing_is_left_after_the_block(http: httpx2.AsyncClient) -> None:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    threads = threading.active_count()
    with anyio.fail_after(5):
        async with serve(Options(faults=("down=refuse:1000",), client="shared")) as running:
            assert (await http.post(running.execute_url, json=ASKED)).status_code == 200
            urls = [running.api_url, running.base, running.mcp.url]
    assert all(_refused(url) for url in urls)
    assert list(logging.getLogger().handlers) == handlers
    assert logging.getLogger().level == level
    assert threading.active_count() == threads


async def test_it_ends_within_two_seconds_while_an_agent_hangs() -> None:
    answers: list[int] = []
    with anyio.fail_after(10):
        async with (
            httpx2.AsyncClient(timeout=None, trust_env=False, verify=False) as http,
            anyio.create_task_group() as tasks,
        ):
            async with serve(Options(client="naive")) as running:

                async def call() -> None:
                    answers.append((await http.post(running.execute_url, json=ASKED)).status_code)

                tasks.start_soon(call)
                async with http.stream("GET", running.mcp_url, headers=STREAM) as refused:
                    assert refused.status_code == 400
                started = anyio.current_time()
            assert anyio.current_time() - started < 2
    assert answers == [500]


async def test_a_taken_port_says_by_what_to_change_it() -> None:
    with bind() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BaseException, match=r".*") as told:
            async with serve(Options(port=port)):
                pass
    leaves = [told.value]
    while isinstance(leaves[0], BaseExceptionGroup):
        leaves = list(leaves[0].exceptions)
    assert isinstance(leaves[0], UsageError)
    assert leaves[0].message == f"port {port}: taken on 127.0.0.1"
    assert "--port" in leaves[0].hint


async def test_a_listening_socket_names_its_protocol_so_that_nodelay_is_set() -> None:
    with bind() as sock:
        assert sock.proto == socket.IPPROTO_TCP


async def test_a_client_that_the_demo_does_not_have_must_be_handed_in() -> None:
    with pytest.raises(BaseException, match=r".*") as told:
        async with serve(Options(client="pooled")):
            pass
    leaf = told.value
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    assert str(leaf) == "client pooled: nobody said what makes it"
    assert isinstance(leaf, UsageError)
    assert "pooled=" in leaf.hint


async def test_a_restart_loses_the_sessions_and_never_refuses(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("restart=1",))) as running:
        await http.post(running.execute_url, json=ASKED)
        with anyio.fail_after(3):
            second = await http.post(running.execute_url, json=ASKED)
            await running.happening("restart").wait()
    assert "error" not in second.json()["metadata"]


def test_a_demo_in_a_process_of_its_own_answers_and_ends_with_the_block() -> None:
    with demo_process(Options()) as address:
        response = httpx2.post(address.api_url, json=ASKED, trust_env=False)
        assert "error" not in response.json()["metadata"]
        assert not _refused(address.base)
    assert _refused(address.base)
    assert _refused(address.api_url)


def test_bad_options_are_told_before_a_process_starts() -> None:
    with pytest.raises(UsageError), demo_process(Options(faults=("nonsense",))):
        pass


def test_a_process_makes_the_client_that_a_dotted_name_leads_to() -> None:
    options = Options(client="pooled", faults=("restart=1",))
    with demo_process(options, pooled="woolly_mcpdiag.client.demo_adapter:pooled") as address:
        answers = [httpx2.post(address.api_url, json=ASKED, trust_env=False).json() for _ in range(2)]
    assert all("error" not in answer["metadata"] for answer in answers)


@pytest.mark.parametrize("path", ["", "nowhere.at.all:made", "woolly_mcpdiag.demo:missing", ":made", "json:__doc__"])
def test_a_name_that_leads_nowhere_is_told_before_a_process_starts(path: str) -> None:
    with pytest.raises(UsageError, match="pooled"), demo_process(Options(client="pooled"), pooled=path):
        pass
