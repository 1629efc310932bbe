"""`pytest --heaplaw SUBJECT --pyargs heaplaw.conformance`."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

Suite = Callable[..., pytest.RunResult]

CONFORMANCE = ("--pyargs", "heaplaw.conformance")
SHORT = ("--heaplaw-operations", "2000")
MINE = """
library = "libc"
shape = "malloc"
alloc = "malloc(size)"
free = "free(ptr)"

[promises]
dialects = ["C23"]
"""


@pytest.fixture
def mapping(pytester: pytest.Pytester) -> str:
    """A mapping of the C library."""
    pytester.makefile(".toml", mine=MINE)
    return "mine.toml"


def test_an_item_a_law_with_stable_ids(suite: Suite, mapping: str) -> None:
    done = suite("", "--heaplaw", mapping, *CONFORMANCE, "--collect-only", "-q")
    ids = [line for line in done.outlines if "::" in line]
    assert ids[:4] == [
        "mine.toml::HL101-aligned",
        "mine.toml::HL102-sized",
        "mine.toml::HL103-blocks_disjoint",
        "mine.toml::HL104-usable_size_covers_request",
    ]
    dialects = [one.partition("@")[2] for one in ids if "HL901" in one]
    assert dialects == ["", "C11", "C17", "C23", "POSIX", "POSIX.1-2024", "glibc", "embedded"]
    assert len(set(ids)) == len(ids) > 25


def test_header_skips_and_junit(suite: Suite, mapping: str, pytester: pytest.Pytester) -> None:
    done = suite("", "--heaplaw", mapping, *SHORT, *CONFORMANCE, "--heaplaw-seed", "7", "-rs", "--junitxml=out.xml")
    assert done.ret == 0
    done.stdout.re_match_lines(
        [
            r"heaplaw: glibc [\d.]+   shape malloc   seed 7   dialect C23",
            r"mine\.toml \.+s[.s]+ .*",
            r"SKIPPED \[1\] mine\.toml:1: not in force; HL910 small_sizes_aligned allowed by C17: .* multiple of 16",
        ]
    )
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "out.xml").iter("testcase")}
    told = {p.get("name"): p.get("value") for p in cases["HL103-blocks_disjoint"].iter("property")}
    assert (told["heaplaw.evidence"] or "").startswith("tested on ")
    assert "seed 7" in (told["heaplaw.subject"] or "")


STRICT = """library = "libc"
shape = "malloc"
alloc = "malloc(size)"
free = "free(ptr)"
realloc = "{function}(ptr, size)"

[promises]
dialects = ["C17", "POSIX"]
"""
SOURCE = """#include <stdlib.h>
void *mine(void *p, size_t n) { if (n) return realloc(p, n); free(p); return NULL; }
void *my_malloc(size_t n) { return malloc(n); }
void my_free(void *p) { free(p); }
"""


def test_the_clause_that_is_broken_fails_and_the_others_do_not(suite: Suite, pytester: pytest.Pytester) -> None:
    (pytester.path / "mine.c").write_text(SOURCE)
    text = STRICT.replace('library = "libc"', 'source = "mine.c"').format(function="mine")
    pytester.makefile(".toml", mine=text.replace('"malloc(', '"my_malloc(').replace('"free(', '"my_free('))
    done = suite("", "--heaplaw", "mine.toml", *SHORT, *CONFORMANCE, "-k", "HL902", "-rA")
    assert done.parseoutcomes() == {
        "failed": 2,
        "passed": 1,
        "skipped": 5,
        "deselected": done.parseoutcomes()["deselected"],
    }
    done.stdout.re_match_lines(
        [
            r".*clause +POSIX realloc, RETURN VALUE: a null pointer with errno set.*",
            r"PASSED mine\.toml::HL902-zero_resize_answered@C17",
            r"SKIPPED .*not in force; HL902 zero_resize_answered allowed by C23: NULL, errno not set",
            r"FAILED mine\.toml::HL902-zero_resize_answered@POSIX .*",
        ]
    )


def test_a_violation_fails_one_item_and_stops_at_the_first(suite: Suite, pytester: pytest.Pytester) -> None:
    subject = ("--heaplaw", "mutant:size-33", *SHORT, *CONFORMANCE)
    done = suite("", *subject, "-x", "--junitxml=out.xml")
    assert done.ret == pytest.ExitCode.TESTS_FAILED
    assert done.parseoutcomes()["failed"] == 1
    done.stdout.re_match_lines([r"HL103 blocks_disjoint VIOLATED: 1 byte shared.*", r"FAILED mutant:size-33::HL103-.*"])
    (failure,) = ET.parse(pytester.path / "out.xml").iter("failure")
    assert failure.get("message", "").startswith("HL103 blocks_disjoint VIOLATED: 1 byte shared")
    assert "\n" not in failure.get("message", "")
    assert "malloc(33)" in (failure.text or "")


def test_the_ids_that_a_failure_tells_can_be_named(suite: Suite, mapping: str) -> None:
    done = suite("", "--heaplaw", mapping, *SHORT, "mine.toml::HL101-aligned")
    assert done.parseoutcomes() == {"passed": 1}


def test_xdist_workers_share_one_check(suite: Suite) -> None:
    pytest.importorskip("xdist", reason="needs pytest-xdist: pip install pytest-xdist")
    calls = """
def made():
    with open("made", "a") as file:
        file.write("x")
    return StackPool(64, 4)

test_it = heaplaw.conformance_test(made, "pool", operations=100)
"""
    done = suite(calls, "-n", "2", apart=True)
    assert done.parseoutcomes()["passed"] >= 10
    assert len(Path("made").read_text()) == 1


def test_last_failed_runs_alone(suite: Suite) -> None:
    subject = ("--heaplaw", "mutant:size-33", *SHORT, *CONFORMANCE, "-o", "cache_dir=.kept")
    whole = suite("", *subject, cached=True).parseoutcomes()
    again = suite("", *subject, "--lf", cached=True).parseoutcomes()
    assert (again["failed"], "passed" in again) == (whole["failed"], False)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("nope", "nope: no such subject"),
        ("module:Pool", "heaplaw.conformance_test(Pool, shape=…)"),
        ("absent.toml", "absent.toml"),
    ],
)
def test_a_subject_that_cannot_be_had_ends_the_session(suite: Suite, subject: str, said: str) -> None:
    done = suite("", "--heaplaw", subject, *CONFORMANCE)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr.str()
    assert "Traceback" not in done.stderr.str()


def test_all_mistakes_of_a_mapping_are_told(suite: Suite, pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", mine=MINE.replace("alloc", "aloc").replace("libc", "libnothing.so"))
    done = suite("", "--heaplaw", "mine.toml", *CONFORMANCE)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "did you mean `alloc`?" in done.stderr.str()


@pytest.mark.parametrize(
    ("option", "value"), [("--heaplaw-seed", "x"), ("--heaplaw-operations", "0"), ("--heaplaw-seed", "-1")]
)
def test_bad_options_are_one_line(suite: Suite, option: str, value: str) -> None:
    done = suite("", "--heaplaw", "glibc", option, value, *CONFORMANCE)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert f"{option}" in done.stderr.str()


def test_without_a_subject_it_says_what_to_type(suite: Suite) -> None:
    done = suite("", *CONFORMANCE)
    assert done.ret == pytest.ExitCode.INTERRUPTED
    assert "--heaplaw mine.toml" in done.stdout.str()


def test_a_subject_that_is_not_among_the_tests_is_told(suite: Suite, mapping: str) -> None:
    done = suite("def test_mine():\n    pass\n", "--heaplaw", mapping)
    done.stdout.fnmatch_lines(["heaplaw: nothing of --heaplaw mine.toml was judged; add --pyargs heaplaw.conformance"])


def test_subjects_of_pyproject(suite: Suite, mapping: str, pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml('[tool.heaplaw]\nsubjects = ["mine.toml"]\noperations = 2000\nseed = 5\n')
    done = suite("", *CONFORMANCE, "-k", "HL101", "--junitxml=out.xml")
    assert done.parseoutcomes()["passed"] == 1
    assert "seed 5" in (pytester.path / "out.xml").read_text()


def test_nothing_heavy_is_loaded_unless_asked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
import sys
def test_it():
    loaded = {name.partition(".")[0] for name in sys.modules} & {"numpy", "z3", "crosshair", "rich", "click"}
    ours = {name for name in sys.modules if name.startswith("heaplaw")}
    assert (loaded, ours) == (set(), {"heaplaw", "heaplaw.plugin"})
""")
    pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist").assert_outcomes(passed=1)
