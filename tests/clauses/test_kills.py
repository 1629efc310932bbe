"""Every law on single clauses is broken by an allocator that does one thing wrongly, and so is every clause by itself;
an allocator that does nothing wrong is blamed by no dialect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from heaplaw.minimise import Witness
from heaplaw.models.scenes import resized_away, scenes
from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.dialects import NAMES, Dialect, leaves_open
from heaplaw.spec.event import Status
from heaplaw.spec.history import History, Op, make_history, make_trace
from heaplaw.spec.judge import judge, tallied
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Violated, Violation
from heaplaw.store import document_of, load, save
from heaplaw.subjects import ProcessSubject

from .conftest import Make

D = Dialect
C = D.C11 | D.C17 | D.C23
POSIX = D.POSIX | D.POSIX_2024
SPEAKING = sum(each for each in D if each not in (D.LUA_5_3, D.LUA_5_4))


@dataclass(frozen=True)
class Kill:
    """A fault, the law that it breaks and where: under which dialects, each by itself; 0: whichever is in force."""

    fault: str
    law: str
    scene: str
    dialects: int = 0
    promises: dict[str, str] = field(default_factory=dict[str, str])
    policy: str = ""


NOTHING, TO_NOTHING, REFUSALS = "requests for 0 bytes", "resized to 0 bytes", "refusals"
ODD, ODD_SIZES, SMALL, FREES = "odd alignments", "odd sizes", "small sizes", "frees"
ABORT = {"misuse": "abort"}
KILLS = (
    Kill("zero-is-null", "zero_size_answered", NOTHING, D.GLIBC),
    Kill("zero-crashes", "zero_size_answered", NOTHING, C | POSIX | D.GLIBC | D.EMBEDDED),
    Kill("to-zero-says-nothing", "zero_resize_answered", TO_NOTHING, POSIX),
    Kill("to-zero-is-a-block", "zero_resize_answered", TO_NOTHING, D.GLIBC),
    Kill("to-zero-crashes", "zero_resize_answered", TO_NOTHING, D.C11 | D.C17 | POSIX | D.GLIBC | D.EMBEDDED),
    Kill("to-zero-is-a-block", "zero_resize_as_promised", TO_NOTHING, promises={"zero_resize": "null"}),
    Kill("", "zero_resize_as_promised", TO_NOTHING, promises={"zero_resize": "unique"}),
    Kill("refuses-after-refusal", "small_request_served", REFUSALS),
    Kill("errno-not-set", "refusal_says_enomem", REFUSALS, POSIX | D.GLIBC),
    Kill("out-is-null", "out_pointer_kept", REFUSALS, D.GLIBC),
    Kill("out-is-written", "out_pointer_kept", REFUSALS, POSIX | D.GLIBC),
    Kill("bad-alignment-is-rounded", "bad_alignment_einval", ODD, POSIX | D.GLIBC),
    Kill("bad-alignment-is-enomem", "bad_alignment_einval", ODD, POSIX | D.GLIBC),
    Kill("odd-is-rounded", "odd_alignment_refused", ODD, D.C17 | D.C23 | D.POSIX_2024 | D.GLIBC),
    Kill("odd-says-nothing", "odd_alignment_refused", ODD, D.POSIX_2024 | D.GLIBC),
    Kill("wants-multiples", "odd_size_served", ODD_SIZES, D.C17 | D.C23 | D.POSIX_2024),
    Kill("aligns-multiples-only", "odd_size_served", ODD_SIZES, D.C17 | D.C23 | D.POSIX_2024),
    Kill("aligned-to-8", "small_sizes_aligned", SMALL, D.C11 | D.C17 | POSIX),
    Kill("aligned-to-4", "small_sizes_aligned", SMALL, C | POSIX | D.GLIBC | D.EMBEDDED),
    Kill("free-sets-errno", "free_keeps_errno", FREES, D.POSIX_2024 | D.GLIBC),
    Kill("free-clears-errno", "free_keeps_errno", FREES, C | POSIX | D.GLIBC),
    Kill("usable-is-too-much", "usable_bytes_writable", "usable bytes"),
    Kill("double-passes", "misuse_as_declared", "misuse", promises=ABORT),
    Kill("interior-passes", "misuse_as_declared", "misuse", promises=ABORT),
    Kill("unaligned-passes", "misuse_as_declared", "misuse", promises=ABORT),
    Kill("foreign-passes", "misuse_as_declared", "misuse", promises=ABORT),
    Kill("wild-access", "misuse_as_declared", "misuse", promises=ABORT, policy="ignore"),
    Kill("", "misuse_as_declared", "misuse", promises={"misuse": "ignore"}),
    Kill("", "misuse_as_declared", "misuse", promises={"misuse": "error"}),
    Kill("double-passes", "misuse_as_declared", "misuse", promises={"misuse": "error"}, policy="error"),
)


def histories(subject: ProcessSubject, scene: str = "") -> Iterator[History]:
    """What comes of the scenes of that name, or of all."""
    for trace in scenes(subject.shape.name, subject.kinds, subject.env, subject.offers):
        if not scene or trace.parts[0][1] == scene:
            yield subject.run(trace)


def broken(history: History, laws: list[AnyLaw], dialects: int) -> dict[str, str]:
    """The laws that a history breaks where these dialects are in force, and what was observed."""
    told = replace(history, env=replace(history.told, dialects=dialects))
    found = ((each.law, each.outcome) for each in judge(told, laws))
    return {name: outcome.violations[0].observed for name, outcome in found if isinstance(outcome, Violated)}


def judging(subject: ProcessSubject) -> list[AnyLaw]:
    """The laws on operations that the subject offers enough for."""
    found = laws_of(subject.shape.name, scenes=True)
    return [law for law in found if law.needs <= subject.offers and law.scope is not Scope.RUN]


@pytest.mark.parametrize("kill", KILLS, ids=lambda kill: f"{kill.law}-{kill.fault or kill.promises}")
def test_a_fault_breaks_its_law_under_each_dialect_that_forbids_it(kill: Kill, make: Make) -> None:
    law, subject = CATALOGUE[kill.law], make(kill.fault, kill.policy, kill.promises)
    assert law.needs <= subject.offers
    seen = list(histories(subject, kill.scene))
    assert seen
    for dialect in D:
        blamed = any(broken(history, [law], dialect) for history in seen)
        speaks = not law.clauses or bool(dialect & kill.dialects)
        assert blamed is speaks, f"{NAMES[dialect]} is {'not ' * speaks}right"


def test_every_law_of_scenes_is_among_them_and_every_clause_that_forbids_anything() -> None:
    assert {kill.law for kill in KILLS} == {law.name for law in CATALOGUE.values() if law.scenes}
    for law in CATALOGUE.values():
        killed = {dialect for kill in KILLS if kill.law == law.name for dialect in D if dialect & kill.dialects}
        assert killed == {dialect for dialect, clause in law.clauses.items() if clause.allows is not leaves_open}


@pytest.mark.parametrize(
    ("policy", "misuse"), [("", "abort"), ("exit", "abort"), ("ignore", "ignore"), ("error", "error")]
)
def test_a_correct_allocator_is_blamed_by_no_dialect(make: Make, policy: str, misuse: str) -> None:
    subject = make("", policy, {"misuse": misuse, "zero_size": "unique", "zero_resize": "null"})
    laws = judging(subject)
    assert {law.name for law in CATALOGUE.values() if law.scenes} <= {law.name for law in laws}
    spoke = set[str]()
    for history in histories(subject, "" if misuse == "abort" and not policy else "misuse"):
        assert broken(history, laws, SPEAKING) == {}, history.trace.ops()
        spoke |= {tally.law.name for tally in tallied(history, laws) if tally.judged}
    assert {law.name for law in laws if law.scenes} <= spoke or policy


def test_what_no_dialect_is_declared_for_is_a_fault_only_if_all_forbid_it(make: Make) -> None:
    for fault, scene, blamed in (("zero-is-null", NOTHING, False), ("zero-crashes", NOTHING, True)):
        seen = histories(make(fault), scene)
        assert any(broken(history, [CATALOGUE["zero_size_answered"]], 0) for history in seen) is blamed


def test_what_is_resized_to_nothing_must_come_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heaplaw.models.scenes.STEADY", 400)  # as many as show it
    for fault, leaks in (("", False), ("to-zero-leaks", True)):
        subject = make(fault, promises={"zero_resize": "null"})
        trace = resized_away(subject.shape.name, subject.kinds, subject.env)
        assert trace is not None
        assert bool(broken(subject.run(trace), [CATALOGUE["reuse"]], 0)) is leaks


NEWER = ("dialects", "zero_resize", "double_free", "interior_free", "unaligned_free", "foreign_free")


def test_a_witness_of_before_promises_no_dialect_and_no_policy(tmp_path: Path) -> None:
    history = make_history(make_trace("malloc", [Op(Kind.ALLOC, 24)]), [{"status": Status.OK, "ptr": 24}])
    witness = Witness("aligned", history.trace, Violation("aligned", (0,), "so", "thus"), history, 1)
    document = document_of(witness, {"kind": "native", "path": None, "prefix": "", "environment": {}}, "mine", 1)
    assert {*NEWER} <= set(document["env"])
    document["env"] = {name: value for name, value in document["env"].items() if name not in NEWER}
    env = load(save(tmp_path, document)).trace.env
    assert [getattr(env, name) for name in NEWER] == [0] * len(NEWER)
