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
PARTS = ("breaker", "pool", "retry")
SOUND = "no fault"
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
    ("pool", "entry, ticket.entry = ticket.entry, None\n", "entry = ticket.entry\n", "who has left keeps its session"),
    (
        "pool",
        "self.waiting.remove(ticket)\n        return self.pump",
        "pass\n        return self.pump",
        "who left still waits",
    ),
    ("pool", "reason = evict or self", "reason = self", "a lost session is lent again"),
    (
        "pool",
        "for entry in reversed(self._idle):",
        "for entry in self._idle:",
        "the session used longest ago goes first",
    ),
    (
        "pool",
        "if not stale:\n                self._idle.remove(entry)",
        "if True:\n                self._idle.remove(entry)",
        "a session is lent after its time",
    ),
    (
        "pool",
        "now - entry.since >= self.limits.max_idle or",
        "now - entry.since > self.limits.max_idle or",
        "the edge of idleness",
    ),
    ("pool", "and self.size > self.limits.min_idle", "", "fewer stay than must"),
    (
        "pool",
        "now - entry.since >= self.limits.leak_after",
        "now - entry.ready_at >= self.limits.leak_after",
        "an old session is a leak",
    ),
    (
        "pool",
        "ticket.fresh or not self._is_held(ticket.group)",
        "True",
        "a key gets a second session while its own is on loan",
    ),
    ("pool", "and not entry.doomed for entry", "for entry", "a doomed session holds its key up"),
    (
        "pool",
        'steps += self._drop(entry, "displaced")\n                return True',
        "return True",
        "a session too many for another key",
    ),
    ("pool", "if one.group == entry.group", "if True", "another key is told of a failed opening"),
    ("pool", "if self.draining:\n            return False", "pass", "a closing pool opens sessions"),
    ("pool", 'if self.draining:\n            return "drain"', "pass", "a closing pool takes sessions back"),
    ("pool", "if entry.doomed or self.draining:", "if entry.doomed:", "a closing pool keeps what comes late"),
    ("pool", "if entry.doomed or self.draining:", "if self.draining:", "a doomed opening is kept"),
    ("pool", 'self.reuse == "fresh" and entry.uses', "False and entry.uses", "a fresh session is used twice"),
    (
        "pool",
        'room = self.max_opening - self.number("opening")',
        "room = self.max_opening",
        "warming ignores the limit",
    ),
    ("pool", "min(count, self.limits.max_sessions) - self.size", "count - self.size", "warming beyond the maximum"),
    ("pool", "entry.rested = now - entry.since", "entry.rested = 0.0", "no session has ever rested"),
    (
        "pool",
        "self.counts.wait_total += now - ticket.since",
        "self.counts.wait_total += now",
        "waits from the beginning of time",
    ),
    (
        "breaker",
        "if (left := self.remaining(now)) > 0:",
        "if (left := self.remaining(now)) >= 0:",
        "it never tries again",
    ),
    ("breaker", "if self.passed >= self.policy.probes:", "if self.passed >= 1:", "one good trial of several closes it"),
    ("breaker", "self.generation += 1", "pass", "all results are of one generation"),
    (
        "breaker",
        "self.row >= self.policy.failure_threshold",
        "self.row > self.policy.failure_threshold",
        "one failure more",
    ),
    (
        "breaker",
        "failed / seen >= self.policy.failure_rate",
        "failed / seen > self.policy.failure_rate",
        "the edge of the rate",
    ),
    ("breaker", "self._window.clear()", "pass", "the past opens it again"),
    ("breaker", "self.opened_at = now", "pass", "open since the beginning"),
    (
        "breaker",
        "self.row = self.trials = self.passed = 0",
        "self.row = self.trials = 0",
        "good trials of the last time count",
    ),
    (
        "breaker",
        "return min(self.policy.open_at_most, self.policy.open_for",
        "return (self.policy.open_for",
        "the wait grows without limit",
    ),
    ("breaker", "exponent = min(self.reopened, 64)", "exponent = self.reopened", "a number beyond all numbers"),
    ("breaker", 'effect == "fail" and (self.row', "(self.row", "a success opens it"),
    ("breaker", "self.trials += 1", "pass", "trials are not counted"),
    ("retry", "return lacking / self.policy.floor if", "return lacking if", "the floor's rate is 1"),
    (
        "retry",
        "self.tokens = min(self.policy.reserve, self.tokens + self.policy.budget)",
        "self.tokens = self.tokens + self.policy.budget",
        "calls fill beyond the reserve",
    ),
    ("retry", "if lacking <= 0:", "if lacking <= 1:", "a retry on credit"),
    ("retry", "if queued > delay:", "if False:", "an empty budget is no reason to wait"),
    ("retry", "self.budget.take(now)", "pass", "no retry is paid for"),
    (
        "retry",
        'delay, source = retry_after + delay * 0.1, "retry-after"',
        'delay, source = delay, "retry-after"',
        "Retry-After is not kept",
    ),
    ("retry", "retry_after + delay * 0.1", "retry_after", "all come back at the same moment"),
    (
        "retry",
        "if self.fresh_stale >= FRESH_STALE_LIMIT:",
        "if self.fresh_stale > FRESH_STALE_LIMIT:",
        "one lost session more",
    ),
    (
        "retry",
        'return Again(delay=0.0, source="stale", fresh=True)',
        'return Again(delay=0.0, source="stale")',
        "again on an old session",
    ),
    (
        "retry",
        "Outcome.NOT_SENT, Outcome.REJECTED, Outcome.IN_DOUBT}",
        "Outcome.NOT_SENT, Outcome.REJECTED, Outcome.IN_DOUBT, Outcome.CONFIG}",
        "what cannot help is tried",
    ),
    ("retry", "self._delays += 1", "pass", "every wait is as the first"),
    (
        "retry",
        "self._then = now if self._then is None else max(now, self._then)",
        "self._then = now",
        "a clock that steps back pays twice",
    ),
    ("retry", "float(text) if len(text) <= 9 else 1e9", "float(text)", "seconds beyond all numbers"),
    ("retry", "at if at.tzinfo else at.replace(tzinfo=UTC)", "at", "a date without a zone"),
    ("retry", "fnmatchcase(name, pattern)", "name == pattern", "patterns are names"),
]


@pytest.mark.slow
def test_at_least_nine_in_ten_of_the_mutants_are_noticed(tmp_path: Path):
    shutil.copytree(ROOT / "woolly_mcpdiag", tmp_path / "woolly_mcpdiag", ignore=shutil.ignore_patterns("__pycache__"))
    tests = tmp_path / "tests"
    tests.mkdir()
    for part in PARTS:
        shutil.copy(Path(__file__).with_name(f"test_{part}.py"), tests)
    script = tmp_path / "mutate.py"
    script.write_text(SCRIPT, encoding="utf-8")
    plan = tmp_path / "plan.txt"
    plan.write_text(repr([(part, "", "", SOUND) for part in PARTS] + MUTANTS), encoding="utf-8")
    env = {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    ran = subprocess.run(
        [sys.executable, str(script), str(tmp_path)], env=env, capture_output=True, text=True, timeout=55, check=False
    )
    told = (tmp_path / "told.txt").read_text(encoding="utf-8").splitlines() if ran.returncode == 0 else []
    survivors = told[:-1]
    assert f"mutants: {len(MUTANTS) + len(PARTS)}" in told, ran.stdout + ran.stderr
    # Without a fault the tests pass, or they would notice anything.
    assert [line for line in survivors if line.endswith(SOUND)] == [f"survived: {part}: {SOUND}" for part in PARTS]
    assert len(survivors) - len(PARTS) <= len(MUTANTS) // 10, survivors


SCRIPT = '''
"""Run the tests of a part against each of its mutants, in children forked after everything is collected."""
import ast, importlib, os, sys
from pathlib import Path
from types import FunctionType
import pytest, hypothesis
root = Path(sys.argv[1])
mutants = ast.literal_eval((root / "plan.txt").read_text())
hypothesis.settings.register_profile("still", database=None)
PLUGINS = "doctest junitxml pastebin setuponly setupplan stepwise cacheprovider logging faulthandler".split()

def functions(space):
    for name, held in list(space.items()):
        if isinstance(held, property):
            held = held.fget
        if isinstance(held, FunctionType):
            yield name, held
        elif isinstance(held, type):
            yield from ((f"{name}.{inner}", found) for inner, found in functions(vars(held)))

def mutate(part, text):
    module = importlib.import_module(f"woolly_mcpdiag.client.{part}")
    space = {"__name__": module.__name__}
    exec(compile(text, module.__file__, "exec"), space)
    changed = {name: found for name, found in functions(space) if found.__module__ == module.__name__}
    for name, found in functions(vars(module)):
        if found.__module__ == module.__name__ and found.__code__.co_filename == module.__file__:
            found.__code__ = changed[name].__code__

def child(session, part, text):
    mutate(part, text)
    items = [item for item in session.items if item.path.stem == f"test_{part}"]
    for item, following in zip(items, [*items[1:], None]):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            os._exit(1)
    os._exit(0)

class Mutating:
    def pytest_runtestloop(self, session):
        running, survived = {}, []

        def wait():
            number, status = os.wait()
            if status == 0:
                survived.append(running[number])
            del running[number]

        for part, old, new, what in mutants:
            text = (root / "woolly_mcpdiag" / "client" / f"{part}.py").read_text()
            if old and text.count(old) != 1:
                sys.exit(f"{part}: {old!r} is there {text.count(old)} times")
            if len(running) == 2:
                wait()
            sys.stdout.flush()
            if (number := os.fork()) == 0:
                child(session, part, text.replace(old, new) if old else text)
            running[number] = f"{part}: {what}"
        while running:
            wait()
        told = [f"survived: {name}" for name in sorted(survived)] + [f"mutants: {len(mutants)}"]
        (root / "told.txt").write_text("\\n".join(told))
        return True

quick = ["-q", "--assert=plain", "--tb=no", "-k", "not promises", *(f"-pno:{name}" for name in PLUGINS)]
pytest.main([str(root / "tests"), *quick], plugins=[Mutating()])
'''
