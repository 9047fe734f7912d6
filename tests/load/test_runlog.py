import resource
from pathlib import Path

import pytest

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.core.runs import Meta, Sample, read_run
from woolly_mcpdiag.load.runlog import RunLog

META = Meta(run="r", command="load", version="1", started=0.0)


def test_each_row_can_be_read_at_once_and_lines_are_counted(tmp_path: Path):
    path = tmp_path / "run.jsonl"
    with RunLog(path) as log:
        log.row(META)
        assert read_run(path).meta == META
        assert log.line('{"schema":"mcpdiag.event/1","kind":"call.done"}') == 2
        log.row(Sample(fingerprint="f", at=1.0))
        assert log.lines == 3
        assert [sample.fingerprint for sample in read_run(path).samples] == ["f"]


def test_what_cannot_be_written_is_said_before_anything_is(tmp_path: Path):
    with pytest.raises(InputError) as missing:
        RunLog(tmp_path / "no" / "run.jsonl")
    assert missing.value.hint == f"make its directory first: mkdir -p {tmp_path / 'no'}"
    with pytest.raises(InputError, match="is a directory"):
        RunLog(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_full_disk_is_said_before_anything_is_written():
    with pytest.raises(InputError, match="/dev/full: cannot be written"):
        RunLog(Path("/dev/full"))


def test_a_log_that_breaks_on_the_way_says_why_and_takes_the_rest(tmp_path: Path):
    path = tmp_path / "run.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RunLog(path) as log:
        log.row(META)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 10, before[1]))
        try:
            log.row(META)
            assert log.broken == "file too large"
            assert log.line("{}") == 3
            log.flush()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert read_run(path).meta == META


def test_a_file_that_got_nothing_is_not_left_behind(tmp_path: Path):
    path = tmp_path / "run.jsonl"
    with RunLog(path):
        pass
    assert not path.exists()
