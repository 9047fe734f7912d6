import re
from html.parser import HTMLParser

import pytest

from woolly_mcpdiag.report import html
from woolly_mcpdiag.report.model import Report

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """Checks nesting and remembers tags, attributes, headings and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_well_formed(report: Report):
    page = Page(html.render(report))
    assert page.open == []
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(page.headings, page.headings[1:], strict=False))


def test_the_page_loads_nothing_and_runs_nothing(report: Report):
    text = html.render(report)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "use"} & {t for t, _ in page.tags}
    for _, attributes in page.tags:
        assert "src" not in attributes
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    css = text.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in css
    assert "@import" not in css
    assert "default-src 'none'" in text


def test_every_link_has_its_target(report: Report):
    page = Page(html.render(report))
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {(a["href"] or "")[1:] for tag, a in page.tags if tag == "a"} <= ids


def test_every_picture_has_a_text_alternative(report: Report):
    pictures = [attributes for tag, attributes in Page(html.render(report)).tags if tag == "svg"]
    assert all(a.get("aria-hidden") == "true" or (a.get("role") == "img" and a.get("aria-label")) for a in pictures)


def test_hostile_text_is_only_text(samples):
    text = html.render(samples.hostile())
    assert "<script" not in text
    assert "<img" not in text
    assert "</script><script>alert(1)</script>" in Page(text).text


def test_the_answer_and_the_fix_are_on_the_page(samples):
    text = Page(html.render(samples.seed())).text
    for told in (
        "All 29 of the 400s",
        "session.harvested-from-400",
        "29 of 29 400 responses",
        "Use the Streamable HTTP client",
        "Created new MCP session 76edd90fcfee4fc38b6b619560599f8f",
        "Is it a race between parallel agents?",
        "refuted",
        "How long anything took",
    ):
        assert told in text


def test_a_hundred_thousand_requests_stay_small_and_say_they_are_sampled(big: Report):
    text = html.render(big)
    assert len(text.encode()) < 1_500_000
    assert "120 of 5,000 lanes are drawn, failing ones first." in text


def test_sources_tell_what_was_not_understood(samples):
    assert "41 (first: line 12)" in Page(html.render(samples.mixed())).text
    assert "120 requests to hosts or paths that are not MCP" in html.render(samples.mixed())


@pytest.mark.parametrize("words", ["<html lang=", 'name="viewport"', "prefers-color-scheme:dark", "@media print"])
def test_the_page_suits_phone_paper_and_night(samples, words: str):
    assert words in html.render(samples.healthy())


def test_a_line_of_ten_megabytes_does_not_reach_the_page():
    report = Report(requests=1, invisible=["a" * 10_000_000])
    assert len(html.render(report)) < 30_000
