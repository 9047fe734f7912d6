import re
from html.parser import HTMLParser

from woolly_mcpdiag.report import html
from woolly_mcpdiag.report.model import Report

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Checks nesting; remembers tags, links, anchors and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.add(tag)
        self.links |= {told["href"]} if "href" in told else set()
        self.ids |= {told["id"]} if "id" in told else set()
        assert "src" not in told
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_well_formed_and_loads_nothing(run_report: Report):
    page = Page(html.render(run_report))
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & page.tags
    assert {link.removeprefix("#") for link in page.links} <= page.ids


def test_no_picture_has_a_figure_that_is_no_number(run_report: Report):
    shapes = re.findall(r' (?:d|x|y|width|height)="([^"]*)"', html.render(run_report))
    assert [shape for shape in shapes if re.search("nan|inf|e[+-]", shape)] == []


def test_a_million_calls_make_a_small_page(long_run: Report):
    assert len(html.render(long_run)) < 200_000


def test_criteria_failures_and_comparison_are_on_the_page(run_samples):
    page = Page(html.render(run_samples.report("failing")))
    for text in ("? inconclusive", "259 more agent runs would decide it", "No valid session ID provided"):
        assert text in page.text
    assert {"criteria", "failures", "time", "calls", "phases", "about"} <= page.ids
    assert "×0.55 better" in Page(html.render(run_samples.report("turns"))).text


def test_the_names_of_scenes_stand_below_the_bars(run_samples):
    text = html.render(run_samples.report("outage"))
    named = max(float(y) for y in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>outage<', text))
    picture = text[text.index("timeline run") :]
    bars = re.findall(r'<rect[^>]* y="([\d.]+)"[^>]* height="([\d.]+)"', picture[: picture.index("</svg>")])
    assert named > max(float(y) + float(height) for y, height in bars)


def test_labels_stand_above_the_figures(run_samples):
    text = html.render(run_samples.report("busy"))
    assert text.index("figures are the generator") < text.index('class="figures"')
