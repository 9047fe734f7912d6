"""Real runs that no rule was written for, and the shipped samples: every cause is named and nothing else."""

import json
from pathlib import Path

import pytest

from woolly_mcpdiag.api import analyze_logs

OURS = Path(__file__).parent / "logs"
SAMPLES = Path(__file__).parents[2] / "sample_logs"


def _rows():
    """Ours hold all of their causes, a sample one of its causes: some look the same from where it was written."""
    beside = Path(__file__).parent
    for folder, table, every in ((OURS, OURS / "expected.json", True), (SAMPLES, beside / "sample_logs.json", False)):
        for row in json.loads(table.read_text(encoding="utf-8")):
            row["groups"] = (
                [{cause} for cause in row["causes"]] if every else [set(row["causes"])] if row["causes"] else []
            )
            yield pytest.param(folder / row["file"], row, id=row["file"])


@pytest.mark.parametrize(("path", "row"), list(_rows()))
def test_a_log_names_its_causes_and_no_other(path, row):
    found = analyze_logs([str(path)]).diagnosis
    harmful = {finding.cause for finding in found.findings if not finding.benign}
    benign = {finding.cause for finding in found.findings if finding.benign}
    assert all(names & harmful for names in row["groups"]), harmful
    assert harmful <= set(row["causes"]), harmful
    assert set(row["benign"]) <= benign
    for ledger in found.ledgers:
        assert ledger.total == sum(part.count for part in ledger.parts) + ledger.unexplained


@pytest.mark.parametrize(("path", "row"), [row for row in _rows() if not row.values[1]["causes"]])
@pytest.mark.parametrize(("start", "end"), [(0, 0.55), (0.25, 0.8), (0.45, 1)])
def test_a_piece_of_a_healthy_log_is_healthy(path, row, start, end, tmp_path):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    piece = tmp_path / "piece.log"
    piece.write_text("".join(lines[int(len(lines) * start) : int(len(lines) * end)]), encoding="utf-8")
    assert not [finding for finding in analyze_logs([str(piece)]).diagnosis.findings if not finding.benign], row


def test_every_sample_log_has_its_truth():
    told = {row["file"] for row in json.loads((Path(__file__).parent / "sample_logs.json").read_text(encoding="utf-8"))}
    assert told == {path.name for path in SAMPLES.iterdir()}
