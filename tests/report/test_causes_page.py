import re

import pytest

from woolly_mcpdiag.core.causes import catalogue
from woolly_mcpdiag.report.causes_page import advices, anchor, entry, link, render

HEADINGS = ["What happened", "Why", "How to be sure", "What to do", "References"]


def test_the_page_in_docs_is_in_step_with_the_catalogue(root):
    shown = (root / "docs" / "causes.md").read_text(encoding="utf-8")
    assert shown == render(), "run: python -m woolly_mcpdiag.report.causes_page > docs/causes.md"


def test_every_cause_stands_once_under_its_name_and_once_in_the_contents():
    lines = render().splitlines()
    for cause in catalogue().values():
        assert lines.count(f"### {cause.name}") == 1
        assert sum(line.startswith(f"  - [{cause.name}](") for line in lines) == 1


def test_every_link_of_the_contents_leads_to_a_heading_of_its_own():
    page = render()
    anchors = [anchor(heading) for heading in re.findall(r"^#{2,3} (.+)$", page, re.MULTILINE)]
    targets = re.findall(r"\]\(#([^)]+)\)", page)
    assert len(set(anchors)) == len(anchors)
    assert set(targets) == set(anchors)


@pytest.mark.parametrize("name", list(catalogue()))
def test_an_entry_has_the_fixed_headings_in_order(name):
    cause = catalogue()[name]
    wanted = HEADINGS if cause.references else HEADINGS[:-1]
    assert re.findall(r"^#### (.+)$", entry(cause), re.MULTILINE) == wanted


def test_an_entry_tells_each_side_its_part_and_says_when_there_is_none():
    cause = catalogue()["transport.host-guard"]
    assert [side for side, _ in advices(cause)] == ["Client", "Server", "Deployment"]
    assert "- **Server:** List your names" in entry(cause)
    assert "Nothing: this is harmless." in entry(catalogue()["transport.get-stream-after-close"])


def test_angle_brackets_of_a_text_do_not_become_markup():
    told = entry(catalogue()["transport.host-guard"])
    assert "\\<name\\>" in told
    assert "`Host: localhost:<port>`" in told


def test_the_level_of_an_entry_moves_all_its_headings():
    cause = catalogue()["net.dns"]
    assert entry(cause, level=1).startswith("# net.dns\n")
    assert "\n## Why\n" in entry(cause, level=1)


@pytest.mark.parametrize(
    ("reference", "address"),
    [
        (
            "modelcontextprotocol/python-sdk#1051",
            "https://github.com/modelcontextprotocol/python-sdk/issues/1051",
        ),
        (
            "MCP 2025-06-18, Basic, Transports, Session Management",
            "https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#session-management",
        ),
        (
            "MCP 2025-06-18, Basic, Utilities, Cancellation",
            "https://modelcontextprotocol.io/specification/2025-06-18/basic/utilities/cancellation",
        ),
        (
            "MCP 2025-06-18, Basic, Overview, Requests",
            "https://modelcontextprotocol.io/specification/2025-06-18/basic#requests",
        ),
        ("MCP 2026-07-28, Key Changes", "https://modelcontextprotocol.io/specification/2026-07-28/changelog"),
        ("RFC 9110, Bad Gateway", "https://www.rfc-editor.org/rfc/rfc9110"),
        ("nginx, ngx_http_proxy_module, proxy_buffering", ""),
    ],
)
def test_a_reference_links_to_where_it_stands(reference, address):
    assert link(reference) == address
