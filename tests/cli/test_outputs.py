from pathlib import Path

import pytest

from woolly_mcpdiag.cli.outputs import check_writable, planned
from woolly_mcpdiag.core.errors import InputError, UsageError
from woolly_mcpdiag.report.formats import FORMATS


def pairs(formats: list[str], paths: list[str], inputs: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(output.format, output.path) for output in planned(formats, paths, inputs)]


@pytest.mark.parametrize(
    ("formats", "paths", "plan"),
    [
        ([], [], [("text", "-")]),
        (["json"], [], [("json", "-")]),
        ([], ["-"], [("text", "-")]),
        (["json", "html"], ["a.json", "b"], [("json", "a.json"), ("html", "b")]),
        (["json"], ["-", "report.html"], [("json", "-"), ("html", "report.html")]),
        (["junit", "text"], ["ci.xml"], [("junit", "ci.xml"), ("text", "-")]),
        (
            [],
            ["a.md", "b.HTML", "c.xml", "d.csv"],
            [("md", "a.md"), ("html", "b.HTML"), ("junit", "c.xml"), ("csv", "d.csv")],
        ),
        (["junit"], ["a.html", "b.xml"], [("html", "a.html"), ("junit", "b.xml")]),
        (["junit", "html"], ["a.html", "b.xml"], [("html", "a.html"), ("junit", "b.xml")]),
        (["json", "junit"], ["ci.xml"], [("junit", "ci.xml"), ("json", "-")]),
        (
            ["trace", "md", "github"],
            ["run.json", "a.txt", "b.txt"],
            [("trace", "run.json"), ("md", "a.txt"), ("github", "b.txt")],
        ),
        ([], ["run.trace.json", "run.json"], [("trace", "run.trace.json"), ("json", "run.json")]),
    ],
)
def test_formats_and_outputs_pair_in_order_and_the_missing_part_is_inferred(formats, paths, plan):
    assert pairs(formats, paths) == plan


@pytest.mark.parametrize(
    ("formats", "paths", "inputs", "said"),
    [
        (["yaml"], [], (), "no such format"),
        ([], ["report"], (), "suffix tells no format"),
        (["parquet"], [], (), "needs a file"),
        (["json", "html"], [], (), "stdout: json and html cannot both go there"),
        (["json", "html"], ["a", "./a"], (), "json and html cannot both go there"),
        (["json"], ["a.html"], (), "a.html: its suffix says html, and --format json has no other place"),
        (["text", "junit"], ["a.html", "b.xml"], (), "--format text has no other place"),
        (["csv"], ["table.parquet"], (), "suffix says parquet"),
        (["json"], ["app.log"], ("other.log", "app.log"), "one of the logs to read"),
    ],
)
def test_a_plan_that_would_lose_something_is_refused(formats, paths, inputs, said):
    with pytest.raises(UsageError, match=said) as caught:
        planned(formats, paths, inputs)
    assert caught.value.hint


def test_an_unwritable_output_is_found_out_beforehand(tmp_path: Path):
    for path in (tmp_path, tmp_path / "no" / "such" / "folder.json"):
        with pytest.raises(InputError, match="cannot be written"):
            check_writable(planned(["json"], [str(path)]))


def test_checking_leaves_no_file_behind_and_harms_none(tmp_path: Path):
    (tmp_path / "old.json").write_text("kept")
    check_writable(planned(["json", "md"], [str(tmp_path / "old.json"), str(tmp_path / "new.md")]))
    assert (tmp_path / "old.json").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]


def test_checking_keeps_a_link_whose_target_is_not_there_yet(tmp_path: Path):
    link = tmp_path / "latest.json"
    link.symlink_to(tmp_path / "today.json")
    check_writable(planned(["json"], [str(link)]))
    assert link.is_symlink()
    assert not link.exists()


def test_a_device_is_a_fine_output():
    check_writable(planned(["json"], ["/dev/null"]))


def test_every_format_can_be_asked_for_by_its_name():
    assert [pairs([name], ["x"]) for name in FORMATS] == [[(name, "x")] for name in FORMATS]
