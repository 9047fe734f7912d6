import dataclasses
import json
import math
from typing import get_type_hints

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.findings import Evidence, Finding, Hypothesis, Ledger, LedgerPart
from woolly_mcpdiag.core.runs import Generator, Sample, Scene
from woolly_mcpdiag.core.timelines import Activity, Latency, Moment, Timeline
from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report import as_json, run_model
from woolly_mcpdiag.report.model import NextStep, Report, Source

SCHEMA = as_json.schema()
TITLES = {
    "finding": Finding,
    "hypothesis": Hypothesis,
    "ledger": Ledger,
    "ledgerPart": LedgerPart,
    "evidence": Evidence,
    "timeline": Timeline,
    "moment": Moment,
    "activity": Activity,
    "latency": Latency,
    "source": Source,
    "nextStep": NextStep,
    "judgement": Judgement,
    "run": run_model.RunPicture,
    "spread": run_model.Spread,
    "figures": run_model.Figures,
    "phase": run_model.PhaseRow,
    "answer": run_model.AnswerRow,
    "failure": run_model.Failure,
    "sample": Sample,
    "point": run_model.Point,
    "sceneRow": run_model.SceneRow,
    "scene": Scene,
    "generator": Generator,
    "comparison": run_model.Comparison,
    "side": run_model.Side,
    "contrast": run_model.Contrast,
}


def test_every_report_is_valid_by_the_published_schema(report: Report):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(as_json.render(report)))


def test_every_run_is_valid_by_the_published_schema_and_renders_the_same_after_reading(run_report: Report):
    text = as_json.render(run_report)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert as_json.render(as_json.parse(text)) == text


def test_the_report_of_a_long_run_stays_small(long_run: Report):
    assert len(as_json.render(long_run)) < 200_000


def objects(node: object):
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for child in node.values():
            yield from objects(child)
    elif isinstance(node, list):
        for child in node:
            yield from objects(child)


def test_the_schema_is_closed_and_describes_every_field():
    found = list(objects(SCHEMA))
    assert len(found) > len(TITLES)
    for node in found:
        assert node.get("additionalProperties") is not None
        for name, field in node.get("properties", {}).items():
            assert "$ref" in field or field.get("description"), name
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def test_the_schema_has_the_fields_of_the_model_in_their_order():
    assert list(SCHEMA["properties"]) == ["schema", *(field.name for field in dataclasses.fields(Report))]
    for title, kind in TITLES.items():
        assert list(SCHEMA["$defs"][title]["properties"]) == [field.name for field in dataclasses.fields(kind)]
    assert set(TITLES) == set(SCHEMA["$defs"])


def test_a_closed_set_of_words_is_the_same_in_schema_and_model():
    for title, kind in TITLES.items():
        for name, hint in get_type_hints(kind).items():
            if words := SCHEMA["$defs"][title]["properties"][name].get("enum"):
                assert tuple(words) == hint.__args__


def test_a_report_survives_the_round_trip(samples):
    for name in ("healthy", "seed", "empty"):
        report = samples.ALL[name]()
        assert as_json.parse(as_json.render(report)) == report


def test_what_was_read_back_renders_the_same(report: Report):
    text = as_json.render(report)
    assert as_json.render(as_json.parse(text)) == text


finite = st.one_of(st.none(), st.floats(0, 2e9).map(lambda x: round(x, 6)))
texts = st.text(max_size=20)
reports = st.builds(
    Report,
    verdict=texts,
    requests=st.integers(0, 10**9),
    agents=st.dictionaries(texts, st.integers(0, 99), max_size=3),
    statuses=st.dictionaries(st.integers(0, 599), st.integers(0, 99), max_size=3),
    first=finite,
    last=finite,
    clock=st.sampled_from(["time", "order"]),
    notes=st.lists(texts, max_size=2),
    partial=st.booleans(),
    timelines=st.lists(
        st.builds(Timeline, name=texts, opened=finite, overlap=st.one_of(st.none(), st.integers(0, 9))), max_size=2
    ),
)


@settings(deadline=None)
@given(reports)
def test_any_report_survives_the_round_trip(report: Report):
    assert as_json.parse(as_json.render(report)) == report


def test_figures_that_are_not_finite_become_null_and_come_back(samples):
    row = json.loads(as_json.render(samples.hostile()))["latencies"][0]
    assert (row["p50"], row["p95"], row["buckets"]) == (None, None, [[0, None, 1]])
    back = as_json.parse(as_json.render(samples.hostile())).latencies[0]
    assert math.isnan(back.p50)
    assert back.buckets == ((0.0, math.inf, 1),)


def test_fields_of_a_later_version_are_dropped(samples):
    row = json.loads(as_json.render(samples.seed()))
    row["added"] = 1
    row["findings"][0]["added"] = [2]
    assert as_json.parse(json.dumps(row)) == samples.seed()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"schema": "mcpdiag.report/2"}, "mcpdiag.report/2"),
        ({"requests": "many"}, "report.requests"),
        ({"requests": True}, "report.requests"),
        ({"clock": "moon"}, "report.clock"),
        ({"findings": {}}, "report.findings"),
        ({"findings": [{}]}, "report.findings[0]"),
        ({"statuses": {"abc": 1}}, "report.statuses"),
        ({"first": "noon"}, "report.first"),
        ({"latencies": [{"buckets": [[1, 2]]}]}, "buckets[0]"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(samples, change: dict, named: str):
    row = json.loads(as_json.render(samples.seed())) | change
    with pytest.raises(InputError) as caught:
        as_json.parse(json.dumps(row))
    assert named in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"x"', "[" * 5_000])
def test_other_text_is_refused(text: str):
    with pytest.raises(InputError):
        as_json.parse(text)
