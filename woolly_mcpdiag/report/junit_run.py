"""The one place for a load or a gate as JUnit XML: a case a criterion, figures as properties of the suite.

Elements stand where the schema junit-10 of Jenkins' xUnit plugin allows them: a test case has no properties there.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from woolly_mcpdiag.core.verdicts import Judgement
from woolly_mcpdiag.report import run_wording, wording
from woolly_mcpdiag.report.escape import printable, xml
from woolly_mcpdiag.report.model import Report
from woolly_mcpdiag.report.run_model import Failure, RunPicture

_MOST_SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    name: str
    failure: str = ""
    sort: str = ""
    skipped: str = ""
    text: str = ""
    seconds: float = 0.0


def render(report: Report, run: RunPicture, *, open_fails: bool = True) -> str:
    """Return one test suite: a case for each criterion, or one for all calls where nothing was asked for.

    An inconclusive criterion fails with type ``inconclusive``, or with ``open_fails`` False is skipped. A warning is
    skipped where it does not hold: it never fails a build.
    """
    cases = [_criterion(one, run, open_fails=open_fails) for one in report.judgements] or [_calls(report, run)]
    failures, skipped = sum(bool(case.failure) for case in cases), sum(bool(case.skipped) for case in cases)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    when = wording.stamp(run.started, date=True).replace(" ", "T")
    suite = f'name="{xml(f"mcpdiag {report.command}")}" {counts} skipped="{skipped}" timestamp="{when}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="mcpdiag" {counts} time="{run.took:.3f}">',
        f'<testsuite {suite} time="{run.took:.3f}">',
        "<properties>",
        *(
            f'<property name="{_attribute(name)}" value="{_attribute(value)}"/>'
            for name, value in _figures(report, run)
        ),
        "</properties>",
        *(_xml(case, report.command) for case in cases),
        f"<system-out>{xml(_summary(report, run))}</system-out>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _attribute(text: str) -> str:
    return xml(printable(text))


def _figures(report: Report, run: RunPicture) -> Iterator[tuple[str, str]]:
    yield "version", report.version
    yield "workload", run.workload
    for target in map(run_wording.target, run.targets):
        yield "target", target
    for row in run.totals:
        yield f"{row.name}", f"{row.tried}"
        yield f"{row.name} failed", f"{row.failed}"
        if row.latency:
            yield f"{row.name} p95 (s)", f"{row.latency.p95:.6g}"
    for judgement in report.judgements:
        name = judgement.name
        yield f"{name}: verdict", judgement.verdict
        for label, value in (("observed", judgement.observed), ("limit", judgement.limit), ("unit", judgement.unit)):
            if value:
                yield f"{name}: {label}", value
        if judgement.tries:
            yield f"{name}: tries", f"{judgement.tries}"
            yield f"{name}: failures", f"{judgement.failures}"
        if judgement.bound is not None:
            yield f"{name}: bound", f"{judgement.bound:.6g} at {judgement.confidence:g}"


def _criterion(judgement: Judgement, run: RunPicture, *, open_fails: bool) -> _Case:
    lines = [judgement.sentence, *judgement.details, *(f"cause: {cause}" for cause in judgement.causes)]
    lines += [f"next: {judgement.next_step}"] if judgement.next_step else []
    if judgement.verdict == "inconclusive" and judgement.needed:
        lines.append(f"{judgement.needed:,} more {judgement.unit or 'tries'} would decide it")
    message = failure = judgement.sentence or judgement.observed or judgement.verdict
    skipped, sort = "", judgement.verdict
    if judgement.verdict == "pass":
        failure = ""
    elif judgement.level == "warn":
        failure, skipped = "", f"warning: {message}"
    elif judgement.verdict == "inconclusive" and not open_fails:
        failure, skipped = "", message
    if judgement.verdict == "fail":
        lines += _samples(run)
    return _Case(
        name=judgement.name, failure=failure, sort=sort, skipped=skipped, text="\n".join(map(printable, lines))
    )


def _calls(report: Report, run: RunPicture) -> _Case:
    failed = sum(row.failed for row in run.totals)
    tried = sum(row.tried for row in run.totals)
    doubtful = not tried or bool(run_wording.doubt(run))
    return _Case(
        name="every call succeeded",
        failure=wording.verdict(report) if failed or doubtful else "",
        sort="failed" if failed else "inconclusive",
        text="\n".join(map(printable, _samples(run))) if failed else printable(wording.verdict(report)),
        seconds=run.took,
    )


def _samples(run: RunPicture) -> list[str]:
    lines: list[str] = []
    for failure in run.failures[:_MOST_SAMPLES]:
        lines += ["", *_told(failure)]
    return lines


def _told(failure: Failure) -> list[str]:
    head = f"{failure.what}: {run_wording.how_many(failure)} {run_wording.few(failure.operations)}".rstrip()
    cause = f"cause: {failure.cause} ({failure.how})" if failure.cause else "no known cause"
    lines = [head, " · ".join([cause, *run_wording.where(failure)])]
    for sample in failure.samples[:1]:
        lines += [f"  {line}" for line in run_wording.sample_lines(sample, whole=True)]
    return lines


def _summary(report: Report, run: RunPicture) -> str:
    lines = [wording.verdict(report), *run.labels]
    lines += [run_wording.generator(run.generator)] if run.generator else []
    return "\n".join(map(printable, lines))


def _xml(case: _Case, command: str) -> str:
    head = f'<testcase classname="mcpdiag.{_attribute(command)}" name="{_attribute(case.name)}" '
    head += f'time="{case.seconds:.3f}"'
    text = xml(case.text)
    if case.failure:
        message = _attribute(case.failure)
        sign = f'<failure type="{case.sort}" message="{message}">{message}</failure>'
    else:
        sign = f'<skipped message="{_attribute(case.skipped)}"/>' if case.skipped else ""
    return f"{head}>{sign}<system-out>{text}</system-out></testcase>" if text else f"{head}>{sign}</testcase>"
