"""Small faults that tests of such code are known to miss, made by hand: the tests beside this one must notice them.

The mutants are strings replaced in a copy of the package; only the directed tests of the mutated part run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MUTANTS = [
    (
        "pool",
        "return self.release(entry, now)\n        if ticket in",
        "return []\n        if ticket in",
        "a session handed to who has left is lost",
    ),
    (
        "pool",
        "if len(self.waiting) >= self.limits.max_waiting",
        "if len(self.waiting) > self.limits.max_waiting",
        "one more waits than may",
    ),
    (
        "pool",
        "if self.size < self.limits.max_sessions:",
        "if self.size <= self.limits.max_sessions:",
        "one session too many",
    ),
    ("pool", 'self.number("opening") < self.max_opening and', "True and", "no limit to openings"),
    ("pool", "coming[ticket.group] -= 1", "pass", "one opening for all who wait"),
    ("pool", "ticket.error = error\n            steps", "steps", "nobody is told of a failed opening"),
    ("pool", "entry.ready_at >= ticket.not_before", "True", "an older session for who wants a newer"),
    ("pool", "entry.group == ticket.group and", "True and", "a key gets another's session"),
    ("pool", "0.05 * self.rng.random()", "0.05", "all sessions end at once"),
    ("pool", 'if entry.state != "leased":\n            return []', "pass", "a session given back twice"),
    ("pool", "entry.leaked = True", "pass", "a leak told each time"),
    ("pool", "if entry.doomed:\n            return entry.reason", "pass", "a doomed session is kept"),
    ("breaker", "self.trials -= 1", 'self.trials -= effect != "ignore"', "a cancelled probe keeps its place"),
    ("breaker", "if permit.generation != self.generation:\n            return False", "pass", "a late result counts"),
    ("breaker", "if self.trials + self.passed >= self.policy.probes:", "if False:", "half-open lets all through"),
    (
        "breaker",
        'self.row = 0 if effect == "ok" else self.row + 1',
        'self.row += effect == "fail"',
        "a success does not end a row",
    ),
    ("breaker", "seen >= self.policy.minimum_calls and", "", "too few attempts judged"),
    ("breaker", "<= now - self.policy.window_seconds", "< now - self.policy.window_seconds", "the edge of the window"),
    ("breaker", "self.reopened += 1", "pass", "the wait does not grow"),
    ("breaker", "self.reopened = 0\n                self", "self", "the wait does not shrink"),
    ("breaker", "return min(self.open_for, max(0.0,", "return (max(0.0,", "a clock that steps back"),
    ("breaker", 'if effect == "ignore":\n            return False', "pass", "ignored attempts count"),
    ("retry", "self.rng.uniform(0.0, min(cap,", "min(cap, min(cap,", "no jitter"),
    ("retry", "base * 2.0**self._delays", "base", "no growth"),
    (
        "retry",
        "if self.attempts >= self.policy.attempts:",
        "if self.attempts > self.policy.attempts:",
        "one attempt too many",
    ),
    ("retry", "and not idempotent:", "and idempotent:", "what must not be repeated is"),
    ("retry", "if now + delay >= self.deadline:", "if now >= self.deadline:", "a wait beyond the deadline"),
    ("retry", "self.attempts -= 1", "pass", "the first lost session costs an attempt"),
    ("retry", "self.tokens -= 1.0", "pass", "retries cost nothing"),
    ("retry", "self.fresh_stale += unused", "self.fresh_stale += 1", "any lost session is blamed on affinity"),
    (
        "retry",
        "self.tokens = min(self.policy.reserve, self.tokens + passed",
        "self.tokens = (self.tokens + passed",
        "a reserve without limit",
    ),
    ("retry", "max(0.0, now - self._then)", "abs(now - self._then)", "a clock that steps back earns tokens"),
    ("retry", "return max(0.0, (at", "return (0.0 + (at", "a date that has passed"),
]


@pytest.mark.slow
def test_at_least_nine_in_ten_of_the_mutants_are_noticed(tmp_path: Path):
    shutil.copytree(ROOT / "woolly_mcpdiag", tmp_path / "woolly_mcpdiag", ignore=shutil.ignore_patterns("__pycache__"))
    tests = tmp_path / "tests"
    tests.mkdir()
    for part in ("pool", "breaker", "retry"):
        shutil.copy(Path(__file__).with_name(f"test_{part}.py"), tests)
    script = tmp_path / "mutate.py"
    script.write_text(SCRIPT, encoding="utf-8")
    plan = tmp_path / "plan.txt"
    plan.write_text(repr(MUTANTS), encoding="utf-8")
    env = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    ran = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], env=env, capture_output=True, text=True, timeout=55, check=False
    )
    survivors = [line for line in ran.stdout.splitlines() if line.startswith("survived: ")]
    assert f"mutants: {len(MUTANTS)}" in ran.stdout, ran.stdout + ran.stderr
    assert len(survivors) <= len(MUTANTS) // 10, survivors


SCRIPT = '''
"""Run the tests of a part against each of its mutants, in a child forked from one that has loaded everything."""
import ast, io, os, sys, contextlib
from pathlib import Path
import pytest, hypothesis
import woolly_mcpdiag.client.pool, woolly_mcpdiag.client.retry, woolly_mcpdiag.client.breaker
root = Path(sys.argv[1])
mutants = ast.literal_eval((root / "plan.txt").read_text())
hypothesis.settings.register_profile("still", database=None)
for part, old, new, what in mutants:
    path = root / "woolly_mcpdiag" / "client" / f"{part}.py"
    text = path.read_text()
    if text.count(old) != 1:
        sys.exit(f"{part}: {old!r} is there {text.count(old)} times")
    child = os.fork()
    if child == 0:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        path.write_text(text.replace(old, new))
        for name in [name for name in sys.modules if name.startswith("woolly_mcpdiag.client")]:
            del sys.modules[name]
        quick = ["-q", "-x", "--assert=plain", "-k", "not promises", "-p", "no:cacheprovider"]
        code = pytest.main([str(root / "tests" / f"test_{part}.py"), *quick])
        os._exit(0 if code == 0 else 1)
    _, status = os.waitpid(child, 0)
    path.write_text(text)
    if status == 0:
        print(f"survived: {part}: {what}", flush=True)
print(f"mutants: {len(mutants)}")
'''
