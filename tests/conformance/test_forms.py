"""Conformance in a user's own test files."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Suite = Callable[..., pytest.RunResult]

FORMS = """
test_hasty = heaplaw.conformance_test(lambda: HastyPool(64, 4), shape="pool", operations=300)
test_stack = heaplaw.conformance_test(StackPool, "pool", promises={"reuse": "lifo"}, operations=300)

class TestStack(heaplaw.Conformance):
    shape = "pool"
    operations = 300
    def make(self):
        return StackPool(self.size, 10)
    @pytest.fixture(autouse=True)
    def made_of(self):
        self.size = 24
"""


def test_each_law_is_a_test(suite: Suite) -> None:
    done = suite(FORMS, "-rA")
    outcomes = done.parseoutcomes()
    assert outcomes["failed"] == 2
    assert "errors" not in outcomes
    done.stdout.re_match_lines_random(
        [
            r"PASSED test_\w+\.py::test_hasty\[HL101-aligned\]$",
            r"PASSED test_\w+\.py::test_stack\[HL407-reuse_order\]$",
            r"PASSED test_\w+\.py::TestStack::test_law\[HL403-pool_on_grid\]$",
            r"FAILED test_\w+\.py::test_hasty\[HL105-in_bounds\] - HL1.*",
            r"FAILED test_\w+\.py::test_hasty\[HL404-pool_serves_while_free\].*",
            # Where the user wrote it: the line of the call, and of the class.
            r"SKIPPED \[1\] test_\w+\.py:7: not promised: reuse order$",
            r"SKIPPED \[1\] test_\w+\.py:10: not promised: reuse order$",
        ]
    )


def test_a_failure_shows_the_witness_and_not_our_stack(suite: Suite) -> None:
    done = suite('test_it = heaplaw.conformance_test(lambda: HastyPool(64, 4), "pool", operations=300)', "-k", "HL105")
    text = done.stdout.str()
    for wanted in (
        "HL105 in_bounds VIOLATED",
        "p5 = pool.alloc()",
        "buffer [",
        "a block lies inside the buffer that the allocator declares",
        "seed 0",
        "heaplaw replay heaplaw-out/HL105-",
        "heaplaw explain HL105",
    ):
        assert wanted in text
    assert "Traceback" not in text
    assert "heaplaw/conformance" not in text
    assert done.ret == pytest.ExitCode.TESTS_FAILED


def test_the_same_trace_is_found_each_time(suite: Suite, pytester: pytest.Pytester) -> None:
    test = 'test_it = heaplaw.conformance_test(lambda: HastyPool(64, 4), "pool", operations=300)'
    suite(test)
    first = sorted((pytester.path / "heaplaw-out").iterdir())
    steps = [re.search(r'"operations": \[.*?\]', path.read_text(), re.DOTALL) for path in first]
    for path in first:
        path.unlink()
    suite(test)
    again = sorted((pytester.path / "heaplaw-out").iterdir())
    found = [re.search(r'"operations": \[.*?\]', path.read_text(), re.DOTALL) for path in again]
    assert [m and m.group() for m in steps] == [m and m.group() for m in found]


@pytest.mark.parametrize(
    ("form", "outcomes"),
    [
        ('expect={"HL105": "one too many", "pool_serves_while_free": "likewise"}', {"xfailed": 2}),
        ('expect={"HL105": "a", "HL404": "b", "HL101": "c"}', {"xfailed": 2, "failed": 1}),
        ('expect={"HL105": "a", "HL404": "b", "HL204": "does not apply"}', {"xfailed": 2, "failed": 1}),
    ],
)
def test_expected_violations_are_strict(suite: Suite, form: str, outcomes: dict[str, int]) -> None:
    done = suite(f'test_it = heaplaw.conformance_test(lambda: HastyPool(64, 4), "pool", operations=300, {form})')
    found = done.parseoutcomes()
    assert {key: found[key] for key in ("xfailed", "failed") if key in found} == outcomes


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('StackPool, "pool", expect={"HL999": "?"}', r"there is no law 'HL999'"),
        ('StackPool, "pool", expect={"HL101": " "}', r"HL101: an expected violation needs its reason"),
        ('StackPool, "pool", promises={"reus": "lifo"}', r"unknown promise `reus`; did you mean `reuse`\?"),
        ('StackPool, "pool", promises={"reuse": "random"}', r"`reuse` is 'random', expected one of `lifo`, `fifo` or"),
        ('StackPool, "stack"', r"StackPool\.alloc\(\) -> int cannot be called with 1 arg"),
        ('lambda: 1 // 0, "pool"', r"raised ZeroDivisionError"),
        ('lambda: None, "pool"', r"gave None"),
        ('StackPool(), "pool"', r"cannot be called; give a class, or lambda"),
    ],
)
def test_what_cannot_be_judged_is_an_error(suite: Suite, arguments: str, said: str) -> None:
    done = suite(f"test_it = heaplaw.conformance_test({arguments})", "-k", "HL101", "--tb=short")
    assert done.parseoutcomes().get("errors") == 1
    done.stdout.re_match_lines([f"not judged: .*{said}.*"])
    assert "heaplaw/conformance" not in done.stdout.str()


def test_what_was_not_decided_is_an_error(suite: Suite) -> None:
    done = suite('test_it = heaplaw.conformance_test(StackPool, "pool", operations=2)', "-k", "HL303")
    assert done.parseoutcomes()["errors"] == 1
    done.stdout.re_match_lines(
        [
            r"heaplaw \S+: 1 judged by laws, seed 0",
            r"HL303 failure_changes_nothing not decided: judged on 0 steps, needs 1",
            r"a longer run may decide it \(operations=.*",
        ]
    )


def test_an_unknown_shape_is_told_when_the_file_is_read(suite: Suite) -> None:
    done = suite('test_it = heaplaw.conformance_test(StackPool, "poool")')
    done.stdout.re_match_lines([r"E .*'poool' is no shape; there are malloc, bump, pool.*"])


def test_a_crash_is_a_verdict(suite: Suite) -> None:
    done = suite("""
class Aborts(StackPool):
    def alloc(self):
        return os.abort() if self.num_allocated() > 1 else super().alloc()

def test_it(conformance):
    conformance(Aborts, "pool", operations=200)

def test_after_it():
    pass
""")
    assert done.parseoutcomes() == {"failed": 1, "passed": 1}
    done.stdout.re_match_lines(
        [r"HL301 failure_is_reported VIOLATED: never returned \(died: SIGABRT\)", r".*p3 = pool.alloc\(\).*SIGABRT.*"]
    )
    assert "Fatal Python error" not in done.stdout.str() + done.stderr.str()


def test_the_fixture_gives_findings_and_tells_all_that_is_broken(suite: Suite) -> None:
    done = suite("""
@pytest.fixture
def size():
    return 32

def test_well(conformance, size):
    found = conformance(lambda: StackPool(size, 4), "pool", operations=200)
    assert found["aligned"].outcome == "holds"
    assert "operations" in found["aligned"].summary

def test_broken(conformance, size):
    conformance(lambda: HastyPool(size, 4), "pool", operations=300)
""")
    assert done.parseoutcomes() == {"failed": 1, "passed": 1}
    done.stdout.re_match_lines_random([r"HL105 in_bounds VIOLATED.*", r"HL404 pool_serves_while_free VIOLATED.*"])
    done.stdout.re_match_lines([r"FAILED .*::test_broken.*"])


PARAMETERS = """
class Short(StackPool):
    def alloc(self):
        return 0 if self.num_allocated() == self.num_blocks - 1 else super().alloc()

class TestBoth(heaplaw.Conformance):
    shape = "pool"
    operations = 300
    @pytest.fixture(autouse=True, params=["good", "bad"])
    def kind(self, request):
        self.made = {"good": StackPool, "bad": Short}[request.param]
    def make(self):
        return self.made(32, 4)
"""


@pytest.mark.parametrize("order", [PARAMETERS, PARAMETERS.replace('["good", "bad"]', '["bad", "good"]')])
def test_each_parameter_is_judged_by_itself(suite: Suite, order: str, pytester: pytest.Pytester) -> None:
    done = suite(order, "-k", "HL404", "-rA")
    assert done.parseoutcomes()["passed"] == done.parseoutcomes()["failed"] == 1
    done.stdout.re_match_lines_random([r"PASSED .*-good\]$|PASSED .*\[good-.*", r"FAILED .*bad.*"])
    (path,) = (pytester.path / "heaplaw-out").glob("HL404-*.json")
    again = [sys.executable, "-m", "heaplaw.cli", "replay", str(path)]
    done2 = subprocess.run(again, cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert (done2.returncode, done2.stderr) == (1, ""), done2


def test_the_second_of_one_test_is_replayed_as_the_second(suite: Suite, pytester: pytest.Pytester) -> None:
    suite("""
def test_two(conformance):
    conformance(lambda: StackPool(32, 4), "pool", operations=300)
    conformance(lambda: HastyPool(32, 4), "pool", operations=300)
""")
    (path,) = (pytester.path / "heaplaw-out").glob("HL105-*.json")
    again = [sys.executable, "-m", "heaplaw.cli", "replay", str(path)]
    done = subprocess.run(again, cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, ""), done
    (name,) = pytester.path.glob("test_test_*.py")
    name.write_text(name.read_text().replace("test_two", "test_renamed"))
    gone = subprocess.run(again, cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert gone.returncode == 2
    assert "is not there; was it renamed?" in gone.stderr


def test_what_an_allocator_raises_is_told(suite: Suite) -> None:
    done = suite(
        """
class Raises(StackPool):
    def alloc(self):
        if self.num_allocated() == 2:
            raise ValueError("my own message 42")
        return super().alloc()

test_it = heaplaw.conformance_test(lambda: Raises(32, 4), "pool", operations=200)
""",
        "-k",
        "HL301",
    )
    done.stdout.re_match_lines([r".*alloc\(\) raised ValueError: my own message 42"])


def test_one_mistake_is_told_once(suite: Suite) -> None:
    done = suite('test_it = heaplaw.conformance_test(StackPool, "pool", promises={"reus": "lifo"})')
    assert done.parseoutcomes()["errors"] > 20
    assert done.stdout.str().count("did you mean `reuse`?") == 1


def test_a_check_that_is_cut_off_is_not_begun_anew(suite: Suite) -> None:
    done = suite(
        """
calls = []

@pytest.fixture(autouse=True)
def limit(monkeypatch):
    def check(*given, **named):
        calls.append(1)
        pytest.fail("Timeout")  # as pytest-timeout does
    monkeypatch.setattr("heaplaw.check.check", check)

test_it = heaplaw.conformance_test(StackPool, "pool")

def test_after():
    assert len(calls) == 1
""",
        "-k",
        "HL101 or HL102 or after",
    )
    done.stdout.re_match_lines([r"not judged: its check was cut off"])
    assert done.parseoutcomes() == {"errors": 2, "passed": 1, "deselected": 29}


def test_findings_are_found_by_id_too(suite: Suite) -> None:
    done = suite("""
def test_it(conformance):
    found = conformance(lambda: StackPool(32, 4), "pool", operations=300)
    assert found["HL101"] is found["aligned"]
    with pytest.raises(KeyError):
        found["HL999"]
""")
    assert done.parseoutcomes() == {"passed": 1}


def test_a_class_without_a_shape_is_told(suite: Suite) -> None:
    done = suite("class TestIt(heaplaw.Conformance):\n    def make(self):\n        return StackPool()\n")
    done.stdout.re_match_lines([r"E .*shape is not set; there are malloc, bump, pool.*"])


def test_a_trace_is_run_again_through_its_test(suite: Suite, pytester: pytest.Pytester) -> None:
    suite(
        """
@pytest.fixture
def size():
    return 32

def test_it(conformance, size):
    conformance(lambda: HastyPool(size, 4), "pool", operations=300)
"""
    )
    (path,) = (pytester.path / "heaplaw-out").glob("HL105-*.json")
    again = [sys.executable, "-m", "heaplaw.cli", "replay", str(path)]
    done = subprocess.run(again, cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, ""), done
    assert "replayed 3 of 3 times" in done.stdout
    assert "p5 = pool.alloc()" in done.stdout
    emit = subprocess.run([*again, "--emit", "pytest"], cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert (emit.returncode, emit.stderr.count("\n")) == (2, 1)
    assert "is the regression test itself" in emit.stderr
    elsewhere = subprocess.run(again, cwd=Path(path.anchor), capture_output=True, text=True, timeout=60)
    assert elsewhere.returncode == 2
    assert elsewhere.stderr.count("\n") == 1
    assert "is not here; go to its project" in elsewhere.stderr
    mended = (pytester.path / "hasty_pool.py").read_text().replace("range(num_blocks + 1)", "range(num_blocks)")
    (pytester.path / "hasty_pool.py").write_text(mended)
    done = subprocess.run(again, cwd=pytester.path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert "in_bounds holds now: 0 of 3 runs broke it" in done.stdout


def test_what_a_machine_finds_is_told_without_a_stack(suite: Suite) -> None:
    done = suite("""
from hypothesis import settings
from heaplaw.models.allocator_machine import PoolMachine

class Hasty(PoolMachine):
    def make(self):
        return HastyPool(32, 2)

TestHasty = Hasty.TestCase
TestHasty.settings = settings(derandomize=True, deadline=None, database=None)
""")
    assert done.parseoutcomes() == {"failed": 1}
    text = done.stdout.str()
    assert "HL" in text
    assert "site-packages" not in text
