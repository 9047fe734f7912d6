import json

import httpx2
import pytest

from woolly_mcpdiag.demo.options import Options
from woolly_mcpdiag.demo.plan import AGENTS
from woolly_mcpdiag.demo.serve import Running, serve

pytestmark = pytest.mark.anyio

ASKED = {"repository_name": "woolly", "user_query": "session pool"}


async def test_one_agent_type_gives_one_result(healthy: Running, http: httpx2.AsyncClient) -> None:
    response = await http.post(healthy.execute_url, json={"agent_type": "simplifier", **ASKED})
    row = response.json()
    assert response.status_code == 200
    assert row["agent_type"] == "simplifier"
    assert "api/agents/sessions.py" in row["content"]
    assert row["metadata"]["tool_calls"] == ["search_code"]
    assert "error" not in row["metadata"]


async def test_a_list_of_agent_types_gives_a_result_for_each_in_order(
    healthy: Running, http: httpx2.AsyncClient
) -> None:
    response = await http.post(healthy.execute_url, json={"agent_types": list(AGENTS), **ASKED})
    results = response.json()["results"]
    assert [row["agent_type"] for row in results] == list(AGENTS)
    assert [row["agent_type"] for row in results if "error" in row["metadata"]] == []


async def test_the_streaming_variant_sends_pieces_and_then_the_end(healthy: Running, http: httpx2.AsyncClient) -> None:
    body = {"agent_type": "documentation", **ASKED}
    text = (await http.post(healthy.execute_url + "/stream", json=body)).text
    rows = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    assert [rows[0]["type"], rows[-1]["type"]] == ["start", "end"]
    assert len([row for row in rows if row["type"] == "content"]) > 1
    assert text.endswith("data: [DONE]\n\n")
    same = (await http.post(healthy.execute_url, json={**body, "stream": True})).headers["content-type"]
    assert same.startswith("text/event-stream")


async def test_health_answers_without_the_mcp_server(healthy: Running, http: httpx2.AsyncClient) -> None:
    response = await http.get(healthy.api_url + "/health")
    assert response.json()["status"] == "ok"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"agent_type": "simplifier", "user_query": "x"}, "repository_name"),
        ({"agent_type": "simplifier", "repository_name": "x"}, "user_query"),
        ({"agent_type": "poet", **ASKED}, "agent_type"),
        ({"agent_types": [], **ASKED}, "agent_types"),
        ({"agent_types": ["simplifier", 7], **ASKED}, "agent_types"),
        ([1, 2], "agent_type"),
    ],
)
async def test_a_bad_body_is_refused_with_the_field(
    healthy: Running, http: httpx2.AsyncClient, body: object, field: str
) -> None:
    response = await http.post(healthy.execute_url, json=body)
    assert response.status_code == 422
    assert field in [entry["loc"][-1] for entry in response.json()["detail"]]


async def test_a_body_that_is_no_json_is_refused(healthy: Running, http: httpx2.AsyncClient) -> None:
    response = await http.post(healthy.execute_url, content=b"{")
    assert response.status_code == 422


async def test_an_agent_that_fails_is_told_behind_a_200(http: httpx2.AsyncClient) -> None:
    async with serve(Options(faults=("tool-error",))) as running:
        response = await http.post(running.execute_url, json={"agent_types": ["tester", "summarizer"], **ASKED})
    errors = [row["metadata"]["error"] for row in response.json()["results"]]
    assert response.status_code == 200
    assert len(errors) == 2
    assert all("the index of this repository is damaged" in error for error in errors)
