import bz2
import gzip
import io
import os
import sqlite3
import sys
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from woolly_mcpdiag.core.errors import InputError
from woolly_mcpdiag.logs.inputs import Input, lines, resolve

LOG = b"INFO:httpx:one\nINFO:httpx:two\n"
LONG = b"".join(b"INFO:httpx:line %d of a log that is long enough to fill blocks\n" % n for n in range(20_000))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_bytes(LOG)
    return path


def content(one: Input) -> bytes:
    with one.open() as stream:
        return stream.read()


def refusal(*paths: Path | str) -> InputError:
    with pytest.raises(InputError) as caught:
        resolve([str(path) for path in paths])
    assert caught.value.hint
    return caught.value


def test_a_file_keeps_its_name_and_size(log: Path):
    (one,) = resolve([str(log)])
    assert (one.name, one.size, one.kind, one.plain, one.damage) == (str(log), len(LOG), "text", True, "")
    assert content(one) == LOG
    assert content(one) == LOG  # a file can be opened again


def test_a_file_named_twice_is_read_once(log: Path):
    assert len(resolve([str(log), str(log), str(log.parent / "*.log")])) == 1


def test_a_pattern_is_expanded_in_order(tmp_path: Path):
    for name in ("b.log", "a.log", "c.txt"):
        (tmp_path / name).write_bytes(LOG)
    assert [Path(one.name).name for one in resolve([str(tmp_path / "*.log")])] == ["a.log", "b.log"]


def test_a_directory_gives_its_logs_and_nothing_else(tmp_path: Path):
    names = ["a.log", "a.log.1", "a.log.2.gz", "sub/b.jsonl", "sub/c.har", "sub/d.out.zst", "app.log-20261122", "e.txt"]
    for name in [*names, "code.py", "README", "page.html", "x.logic"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        log = LOG + name.encode()
        data = gzip.compress(log) if name.endswith("gz") else log
        path.write_bytes(zstandard.compress(log) if name.endswith("zst") else data)
    found = resolve([str(tmp_path)])
    assert sorted(str(Path(one.name).relative_to(tmp_path)) for one in found) == sorted(names)
    assert {content(one) for one in found} == {LOG + name.encode() for name in names}


def test_a_copy_of_a_log_is_read_once_and_told(tmp_path: Path):
    for name, data in (("a.log", LOG), ("b.log", LOG), ("c.log", LOG[::-1])):
        (tmp_path / name).write_bytes(data)
    found = resolve([str(tmp_path)])
    assert [bool(one.damage) for one in found] == [False, True, False]
    assert found[1].damage == f"has the same bytes as {tmp_path / 'a.log'}, which is read"
    assert content(found[1]) == b""


def test_a_name_with_brackets_that_exists_is_no_pattern(tmp_path: Path):
    path = tmp_path / "app[1].log"
    path.write_bytes(LOG)
    assert resolve([str(path)])[0].path == path


def two_members(raw: bytes) -> bytes:
    return gzip.compress(raw[:9]) + gzip.compress(raw[9:])


BOTH = pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress, two_members], ids=["gzip", "zstd", "members"])
def test_compression_is_seen_by_content_not_by_name(tmp_path: Path, compress):
    path = tmp_path / "app.log"
    path.write_bytes(compress(LONG))
    (one,) = resolve([str(path)])
    assert (content(one), one.damage, one.plain) == (LONG, "", False)


def test_zstd_frames_follow_each_other(tmp_path: Path):
    path = tmp_path / "app.zst"
    path.write_bytes(zstandard.compress(LOG) + zstandard.compress(LOG))
    assert content(resolve([str(path)])[0]) == LOG + LOG


@BOTH
@pytest.mark.parametrize("share", [0.6, 0.99])
def test_half_a_compressed_file_gives_what_it_has(tmp_path: Path, compress, share):
    path = tmp_path / "app.gz"
    whole = compress(os.urandom(1 << 17).hex().encode() + LONG)
    path.write_bytes(whole[: int(len(whole) * share)])
    (one,) = resolve([str(path)])
    assert one.damage == ""
    assert len(content(one)) > 0
    assert one.damage.startswith("ends in the middle")


def test_a_corrupt_gzip_gives_the_bytes_before_the_damage(tmp_path: Path):
    path = tmp_path / "app.gz"
    whole = bytearray(gzip.compress(LONG))
    half = len(whole) // 2
    whole[half : half + 40] = b"\xff" * 40
    path.write_bytes(whole)
    (one,) = resolve([str(path)])
    text = content(one)
    assert one.damage == "has damaged gzip data"
    assert text.startswith(LONG[: len(LONG) * 2 // 5])


def test_a_corrupt_zstd_is_told(tmp_path: Path):
    path = tmp_path / "app.zst"
    whole = bytearray(zstandard.compress(os.urandom(1 << 19).hex().encode()))
    half = len(whole) // 2
    whole[half:] = b"\xff" * half
    path.write_bytes(whole)
    (one,) = resolve([str(path)])
    assert len(content(one)) > 0
    assert one.damage == "has damaged zstd data"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_byte_order_mark_is_obeyed_and_dropped(tmp_path: Path, encoding, compress):
    path = tmp_path / "app.log"
    path.write_bytes(compress("INFO:a:é\n".encode(encoding)))
    (one,) = resolve([str(path)])
    assert content(one) == "INFO:a:é\n".encode()
    assert not one.plain


def test_utf16_big_endian_is_read(tmp_path: Path):
    path = tmp_path / "app.log"
    path.write_bytes(b"\xfe\xff" + "INFO:a:é\n".encode("utf-16-be"))
    assert content(resolve([str(path)])[0]) == "INFO:a:é\n".encode()


def test_another_encoding_is_passed_on(tmp_path: Path):
    path = tmp_path / "app.log"
    path.write_bytes("INFO:a:café\n".encode("latin-1"))
    assert content(resolve([str(path)])[0]) == b"INFO:a:caf\xe9\n"


def test_a_hole_before_the_text_is_no_reason_to_refuse(tmp_path: Path):
    path = tmp_path / "app.log"
    path.write_bytes(b"\0" * 300_000 + LOG)
    assert resolve([str(path)])[0].kind == "text"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"log": {"version": "1.2", "creator": {}, "entries": []}}', "har"),
        ('{\n  "log": {\n    "version": "1.2",\n    "entries": []\n  }\n}\n', "har"),
        ('\n{"schema":"mcpdiag.event/1","kind":"http.exchange"}\n', "events"),
        ('{"kind": "x", "schema": "mcpdiag.event/1"}\n', "events"),
        ('{"log": "INFO:a:x\\n", "stream": "stderr"}\n', "text"),
        ('{"log": {"level": "info"}, "message": "x"}\n', "text"),
        ("INFO:a:b\n", "text"),
    ],
)
def test_the_kind_is_seen_in_the_content(tmp_path: Path, text, kind):
    path = tmp_path / "x.json"
    path.write_text(text)
    assert resolve([str(path)])[0].kind == kind
    path.write_bytes(gzip.compress(text.encode()))
    assert resolve([str(path)])[0].kind == kind


def test_a_missing_file_names_a_similar_one(log: Path):
    error = refusal(log.parent / "ap.log")
    assert "does not exist" in error.message
    assert error.hint == "did you mean app.log?"


def test_a_pattern_without_match_is_told(tmp_path: Path):
    assert "matches no file" in refusal(tmp_path / "*.log").message


def test_a_directory_without_logs_is_told(tmp_path: Path):
    (tmp_path / "x.py").write_text("x")
    assert "has no logs" in refusal(tmp_path).message


@pytest.mark.parametrize("data", [b"", gzip.compress(b"", mtime=0), b"\n \n"])
def test_an_empty_file_is_told(tmp_path: Path, data):
    path = tmp_path / "app.log"
    path.write_bytes(data)
    assert refusal(path).message in {f"{path}: is empty", f"{path}: has no text"}


def test_one_empty_file_of_several_is_told_but_does_not_stop_the_rest(log: Path):
    (log.parent / "empty.log").touch()
    found = {Path(one.name).name: one for one in resolve([str(log.parent)])}
    assert found["empty.log"].damage == "is empty"
    assert content(found["empty.log"]) == b""
    assert found["app.log"].damage == ""


def test_a_missing_file_of_several_stops(log: Path):
    refusal(log, log.parent / "gone.log")


@pytest.mark.parametrize("name", ["elf", "png", "sqlite", "random", "bz2", "nuls"])
def test_binary_files_are_refused(tmp_path: Path, name):
    path = tmp_path / "x.log"
    if name == "sqlite":
        connection = sqlite3.connect(path)
        connection.execute("create table t (a)")
        connection.commit()
        connection.close()
    else:
        path.write_bytes(
            {
                "elf": Path(sys.executable).resolve().read_bytes()[:5000],
                "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
                "random": bytes(range(256)) * 40,
                "bz2": bz2.compress(LOG),
                "nuls": b"a\0\0\0" * 3000,
            }[name]
        )
    assert refusal(path).message.startswith(f"{path}: is ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(log: Path):
    log.chmod(0)
    assert "may not be read" in refusal(log).message


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "app.log/x"])
def test_impossible_paths_are_told(tmp_path: Path, path, log):
    refusal(str(tmp_path / path) if "\0" not in path else path)


def test_standard_input_is_read_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LOG)))
    (one,) = resolve(["-"])
    assert (one.name, one.path, one.size) == ("stdin", None, None)
    assert content(one) == LOG


def test_compressed_standard_input_is_inflated(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LOG))))
    assert content(resolve(["-"])[0]) == LOG


def test_empty_standard_input_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert refusal("-").message == "stdin: is empty"


def test_a_named_pipe_is_read(tmp_path: Path):
    reading, writing = os.pipe()
    os.write(writing, LOG)
    os.close(writing)
    (one,) = resolve([f"/dev/fd/{reading}"])
    assert content(one) == LOG
    os.close(reading)


def test_progress_is_counted_in_bytes_on_disk(tmp_path: Path):
    path = tmp_path / "app.gz"
    path.write_bytes(gzip.compress(LONG))
    (one,) = resolve([str(path)])
    with one.open() as stream:
        stream.read()
        assert one.consumed == one.size
    assert one.consumed is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", []),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\rb\n\n", [b"a\rb", b""]),
        (b"x" * 10 + b"\nb\n", [b"x" * 10, b"b"]),
        (b"x" * 10 + b"\r\nb\n", [b"x" * 10, b"b"]),
        (b"x" * 11 + b"\nb\n", [b"x" * 10, b"b"]),
        (b"x" * 95 + b"\nb\n", [b"x" * 10, b"b"]),
        (b"x" * 95, [b"x" * 10]),
    ],
)
def test_lines_are_split_and_cut_at_the_limit(raw, expected):
    assert list(lines(io.BytesIO(raw), 10)) == expected


@given(st.lists(st.binary(max_size=30).map(lambda raw: raw.translate(None, b"\r\n"))), st.integers(1, 12))
def test_every_line_counts_once_whatever_the_limit(texts, limit):
    raw = b"".join(text + b"\n" for text in texts)
    assert list(lines(io.BytesIO(raw), limit)) == [text[:limit] for text in texts]
