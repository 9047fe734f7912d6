"""The configuration of a project: what is taken from it, and what is refused with which advice."""

from dataclasses import fields

import pytest

from woolly_mcpdiag.cli.load_typed import Typed
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.gate.config import LOAD_KEYS, GateConfig, load_config, parse_config

WHOLE = """
[gate]
profile = "phase4"
confidence = "99%"
claim = 0.02
waves = 50
mcp = "http://localhost:8009/sse/"
agent_types = ["tester", "simplifier"]
on_inconclusive = "pass"
baseline = "known.toml"
thresholds = ["p99 < 2s", "warn: retried == 0"]

[gate.criteria.sub-second]
limit = "800ms"
quantile = "p99"
scenes = ["waves-5", "waves-20"]

[gate.criteria.error-logging]
enabled = false

[gate.criteria.degradation]
level = "warn"
limit = 10

[load]
concurrency = 5
thresholds = ["http_400 == 0"]
"""


def test_a_configuration_is_read_whole(tmp_path):
    path = tmp_path / "mcpdiag.toml"
    path.write_text(WHOLE)
    found = load_config(path)
    assert (found.confidence, found.claim, found.waves, found.baseline) == (0.99, 0.02, 50, "known.toml")
    assert [each.text for each in found.thresholds] == ["p99 < 2s", "warn: retried == 0"]
    assert found.load["concurrency"] == 5
    made = found.made()
    assert (made.confidence, made.claim, made.agent_types) == (0.99, 0.02, ("tester", "simplifier"))
    criteria = {each.id: each for each in made.criteria}
    assert list(criteria) == ["zero-400", "parallel-success", "degradation", "sub-second"]
    assert (criteria["sub-second"].limit, criteria["sub-second"].quantile) == (0.8, 0.99)
    assert (criteria["degradation"].level, criteria["degradation"].limit) == ("warn", 10)


def test_the_command_line_comes_before_the_configuration():
    config = GateConfig(confidence=0.9, claim=0.1, waves=7)
    made = config.made(confidence=0.99, waves=9)
    assert (made.confidence, made.claim, made.scene("waves-5").waves) == (0.99, 0.1, 9)


def test_an_empty_configuration_is_the_default():
    assert parse_config({}) == GateConfig()
    assert GateConfig().made().name == "phase4"


def test_the_names_of_a_load_are_those_of_its_options():
    assert set(LOAD_KEYS) <= {field.name for field in fields(Typed)}


@pytest.mark.parametrize(
    ("row", "fact", "advice"),
    [
        ({"gat": {}}, "there is no key gat", "did you mean gate?"),
        ({"gate": {"confidense": 0.9}}, "there is no key confidense in [gate]", "did you mean confidence?"),
        ({"gate": {"profile": "phase5"}}, "there is no phase5", "did you mean phase4?"),
        ({"gate": {"criteria": {"zero400": {}}}}, "there is no criterion zero400", "did you mean zero-400?"),
        ({"gate": {"criteria": {"zero-400": {"clam": 1}}}}, "there is no key clam", "did you mean claim?"),
        ({"gate": {"criteria": {"zero-400": 3}}}, "'3' is no table", "[gate.criteria.zero-400]"),
        ({"gate": {"criteria": 3}}, "cannot be used", "[gate.criteria"),
        ({"gate": {"criteria": {"sub-second": {"limit": "soon"}}}}, "'soon' cannot be used", "800ms"),
        ({"gate": {"criteria": {"sub-second": {"scenes": ["waves-6"]}}}}, "there is no waves-6", "waves-5"),
        ({"gate": {"criteria": {"sub-second": {"level": "warning"}}}}, "'warning' cannot", "did you mean warn?"),
        ({"gate": {"claim": 2}}, "gate.claim: '2' cannot be used", "1%"),
        ({"gate": {"claim": True}}, "gate.claim", "1%"),
        ({"gate": {"waves": 0}}, "gate.waves", "whole number"),
        ({"gate": {"strict": 1}}, "gate.strict", "true or false"),
        ({"gate": {"agent_types": "tester"}}, "gate.agent_types", "list"),
        ({"gate": {"thresholds": ["http_40 == 0"]}}, "there is no metric http_40", "did you mean http_400?"),
        ({"load": {"thresholds": ["http_40 == 0"]}}, "there is no metric http_40", "did you mean http_400?"),
        ({"load": {"concurency": 5}}, "there is no key concurency in [load]", "did you mean concurrency?"),
        ({"load": 5}, "load is 5, no table", "[load]"),
        ({"gate": {"mcp": 8009}}, "gate.mcp", "quotes"),
    ],
)
def test_what_a_configuration_cannot_mean_is_refused_with_advice(row, fact, advice):
    with pytest.raises(UsageError) as raised:
        parse_config(row)
    assert fact in raised.value.message
    assert advice in raised.value.hint


def test_leaving_out_every_criterion_is_refused():
    row = {"enabled": False}
    names = ("zero-400", "parallel-success", "degradation", "sub-second", "error-logging")
    with pytest.raises(UsageError, match="none is enabled"):
        parse_config({"gate": {"criteria": dict.fromkeys(names, row)}})


@pytest.mark.parametrize("content", [b"[gate", b"\xff\xfe", None])
def test_a_file_that_is_no_configuration_is_an_input_error(tmp_path, content):
    path = tmp_path / "mcpdiag.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        load_config(path)
    assert str(path) in raised.value.message
