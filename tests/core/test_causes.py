"""Every entry of the catalogue is complete, well-formed and true to the names it refers to."""

import re
from collections.abc import Callable

from woolly_mcpdiag.core.causes import FAMILIES, Cause, catalogue, nearest

ASKED_FOR = {
    "session": [
        "harvested-from-400",
        "no-affinity",
        "server-restarted",
        "idle-expired",
        "lost",
        "used-before-ready",
        "reinitialized",
        "used-after-close",
        "stream-conflict",
        "stream-cut",
    ],
    "transport": [
        "mismatch",
        "era-probe",
        "redirect",
        "wrong-path",
        "bad-accept",
        "host-guard",
        "origin-guard",
        "protocol-version",
        "body-too-large",
    ],
    "client": ["pool-exhausted", "shared-object", "closed-in-other-task", "duplicate-request-ids"],
    "server": ["capacity", "event-loop-blocked", "fd-exhausted", "tool-error"],
    "proxy": ["upstream-down", "timeout", "idle-cut", "buffering", "rate-limit"],
    "net": ["refused", "dns", "connect-timeout", "tls-mismatch", "keepalive-race", "connection-cut", "env-proxy"],
    "auth": ["required"],
}
BENIGN = {
    "auth.challenge",
    "transport.era-probe",
    "transport.get-stream-after-close",
    "transport.no-get-stream",
    "log.no-timestamps",
    "log.coarse-clock",
    "log.unattributable",
}
REFERENCE = re.compile(
    r"[\w.-]+/[\w.-]+#[1-9]\d*"
    r"|MCP 20\d\d-\d\d-\d\d, (Basic|Server|Client|Key Changes)(, [A-Z][\w' -]+)*"
    r"|RFC \d+, [A-Z][\w ]+"
    r"|nginx, ngx_http_\w+_module, \w+"
)
CAUSES = list(catalogue().values())


def every_cause(check: Callable[[Cause], None]) -> Callable[[], None]:
    """Check all causes in one test and tell which of them fail."""

    def test() -> None:
        failed = {}
        for cause in CAUSES:
            try:
                check(cause)
            except AssertionError as error:
                failed[cause.name] = str(error)
        assert failed == {}

    test.__name__ = test.__qualname__ = check.__name__
    return test


def texts(cause: Cause) -> dict[str, str]:
    fields = ("title", "what", "why", "sure", "client", "server", "deployment")
    return {field: getattr(cause, field) for field in fields}


def test_every_cause_that_was_asked_for_is_in_the_catalogue():
    assert {f"{family}.{tail}" for family, tails in ASKED_FOR.items() for tail in tails} - set(catalogue()) == set()


def test_a_name_stands_once_in_all_families():
    from importlib import import_module

    names = [c.name for f in FAMILIES for c in import_module(f"woolly_mcpdiag.core.catalogue.{f}").CAUSES]
    assert len(names) == len(set(names)) == len(CAUSES)


def test_exactly_the_harmless_causes_are_benign():
    assert {cause.name for cause in CAUSES if cause.benign} == BENIGN


def test_benign_causes_are_of_severity_info_and_no_others():
    assert {cause.name for cause in CAUSES if cause.severity == "info"} == BENIGN


@every_cause
def test_a_name_is_a_family_and_a_kebab_slug(cause):
    assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", cause.name)
    assert cause.family in FAMILIES


@every_cause
def test_what_why_and_how_to_be_sure_are_told(cause):
    assert all((cause.title, cause.what, cause.why, cause.sure))
    assert len(cause.title) <= 90


@every_cause
def test_a_text_is_one_paragraph_without_loose_spaces(cause):
    for field, text in texts(cause).items():
        assert text == " ".join(text.split()), field
        assert text.isascii(), field


@every_cause
def test_a_paragraph_ends_as_a_sentence_and_a_title_does_not(cause):
    assert not cause.title.endswith(".")
    for field, text in texts(cause).items():
        assert field == "title" or not text or text.endswith((".", ".`")), (field, text[-20:])


@every_cause
def test_code_quotes_are_closed(cause):
    for field, text in texts(cause).items():
        assert text.count("`") % 2 == 0, field


@every_cause
def test_whatever_is_not_harmless_has_advice(cause):
    assert cause.benign or cause.client or cause.server or cause.deployment


@every_cause
def test_references_name_a_section_or_a_thread(cause):
    for reference in cause.references:
        assert REFERENCE.fullmatch(reference), reference
    assert len(set(cause.references)) == len(cause.references)


@every_cause
def test_statuses_are_http_statuses_given_once(cause):
    assert all(100 <= status <= 599 for status in cause.statuses)
    assert len(set(cause.statuses)) == len(cause.statuses)


@every_cause
def test_body_texts_are_told_once_and_are_not_empty(cause):
    assert all(body == body.strip() and len(body) >= 4 for body in cause.bodies)
    assert len(set(cause.bodies)) == len(cause.bodies)


@every_cause
def test_every_cause_that_a_text_mentions_exists(cause):
    prose = re.sub(r"`[^`]*`", "", " ".join(texts(cause).values()))
    mentioned = re.findall(rf"\b(?:{'|'.join(FAMILIES)})\.[a-z]+(?:-[a-z0-9]+)*\b", prose)
    assert set(mentioned) <= set(catalogue())


def test_the_incident_of_the_first_customer_is_told_without_his_theory():
    cause = catalogue()["session.harvested-from-400"]
    for word in ("no race", "timing", "PoolTimeout", "false success", "concurrency 1", "endpoint"):
        assert word in cause.why, word
    assert "MCPServerStreamableHTTP(url)" in cause.client


def test_a_name_with_a_slip_leads_to_the_cause():
    assert nearest("session.no-afinity")[0] == "session.no-affinity"
    assert "session.harvested-from-400" in nearest("harvested-from-400")
