"""Witnesses of faults that are known, found by nobody: these operations on that subject break the law."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from heaplaw import native
from heaplaw.minimise import LIMITS, Witness
from heaplaw.picture import heap_text
from heaplaw.spec.catalogue import law
from heaplaw.spec.event import NULL
from heaplaw.spec.history import Op, make_trace
from heaplaw.spec.judge import judge
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Violated
from heaplaw.steps import steps_text
from heaplaw.store import Stored, document_of, load, save
from heaplaw.subjects import ProcessSubject, resolve
from heaplaw.wording import Wording

HERE = Path(__file__).parent


A, R, F = Kind.ALLOC, Kind.RESIZE, Kind.FREE
POP, RESET, RENEW = Op(Kind.POP), Op(Kind.RESET), Op(Kind.RENEW)


def asked(*sizes: int) -> list[Op]:
    """Plain requests."""
    return [Op(A, size) for size in sizes]


def freed(slot: int) -> Op:
    """The block of that operation is freed."""
    return Op(F, slot=slot)


CASES: dict[str, tuple[str, str, list[Op]]] = {
    "malloc": ("size-33", "blocks_disjoint", asked(33, 17)),
    "malloc-resize": ("realloc-words", "realloc_keeps_prefix", [*asked(1), Op(R, 1, 0)]),
    "bump": ("bump-last-byte", "in_bounds", asked(65521, 1)),
    "bump-down": (
        "bump-down-below",
        "in_bounds",
        [
            *(Op(Kind.ALIGNED, size, align=128) for size in (32417, 16385, 8177, 4097, 2033)),
            Op(Kind.ALIGNED, 1025, align=512),
            Op(Kind.ALIGNED, 513, align=128),
        ],
    ),
    "bump-reset": ("bump-reset-total", "reset_frees_all", [*asked(24), RESET]),
    "bump-beside": ("bump-footer", "buffer_respected", [*asked(65521), Op(Kind.ALIGNED, 8, align=1)]),
    "pool": ("pool-poison-wide", "payload_kept", [*asked(48, 48), freed(0), freed(1)]),
    "pool-renew": ("pool-new-keeps", "accounting_exact", [*asked(48), RENEW]),
    "pool-grid": ("pool-reset-shifts", "pool_on_grid", [RESET, *asked(48)]),
    "pool-full": ("pool-full-again", "pool_serves_while_free", asked(*[48] * 101)),
    "stack": ("stack-pop-twice", "lifo_pop", [*asked(64, 32), POP, POP]),
    "stack-swept": ("stack-header-in-tail", "payload_kept", [*asked(65497, 0), RESET]),
    "stack-empty": ("stack-pop-empty", "remaining_is_rest", [POP]),
    "stack-again": (
        "stack-pop-padding",
        "reset_frees_all",
        [*asked(0), POP, Op(Kind.ALIGNED, 24, align=1), RESET, Op(Kind.ALIGNED, 24, align=1)],
    ),
    "stack-refused": ("stack-pop-refused", "free_is_served", [*asked(1, 65537), POP]),
    "freelist": ("freelist-rest-48", "blocks_disjoint", [*asked(177), Op(Kind.ALIGNED, 9, align=32), *asked(0, 24)]),
    "freelist-check": ("freelist-tail-stays", "invariant_holds", [*asked(16369), freed(0), *asked(49105), freed(2)]),
    "freelist-wrap": ("freelist-header-wrap", "overflow_is_failure", [*asked(1), Op(R, 2**64 - 32, 0)]),
    "arena": (
        "arena-inner-only",
        "total_is_live_bytes",
        [Op(Kind.MARK), *asked(64), Op(Kind.MARK), *asked(32), Op(Kind.RELEASE, slot=0)],
    ),
    "lua_alloc": ("lua-copy-words", "realloc_keeps_prefix", [*asked(1), Op(R, 17, 0)]),
    "lua_alloc-free": ("lua-free-returns", "free_gives_null", [*asked(8), freed(0)]),
    "lua_alloc-died": ("lua-tag-as-size", "failure_is_reported", [Op(R, 17, NULL)]),
}
"""Mutants, the laws that they break, and how."""


@dataclass(frozen=True)
class Known:
    """A mutant, a law that it breaks, and how."""

    name: str
    mutant: str
    law: str
    ops: list[Op]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `known` is made for every case."""
    if "known" in metafunc.fixturenames:
        metafunc.parametrize("known", [Known(name, *case) for name, case in CASES.items()], ids=list(CASES))


@dataclass(frozen=True)
class Case:
    """A subject, and what was seen of it."""

    subject: ProcessSubject
    witness: Witness

    @property
    def lines(self) -> list[str]:
        """Steps and picture."""
        history, guilty = self.witness.history, self.witness.violation.operations
        steps = steps_text(history, guilty, self.witness.law, Wording.of(self.subject))
        return [*steps, "", *heap_text(history, guilty)]

    def stored(self, folder: Path) -> Stored:
        """Written to a file, and read back."""
        return load(save(folder, document_of(self.witness, self.subject.spec, self.subject.identity, 1)))


Found = Callable[..., Case]


@pytest.fixture
def found() -> Iterator[Found]:
    """The witness that a few operations give."""
    subjects: list[ProcessSubject] = []

    def do(name: str | Path, law_name: str, ops: Sequence[Op], shape: str | None = None) -> Case:
        if str(name).startswith("mutant:") and native.find(native.SHAPES) is None:
            pytest.skip("the allocators with faults are not built here (no C compiler)")
        (subject,) = resolve(str(name), shape=shape)
        subjects.append(subject)
        subject.host(64)
        trace = make_trace(subject.shape.name, ops, subject.env)
        history = subject.run(trace, LIMITS)
        outcome = judge(history, [law(law_name)])[0].outcome
        assert isinstance(outcome, Violated), (name, law_name, outcome)
        return Case(subject, Witness(law_name, trace, outcome.violations[0], history, len(ops), runs=1))

    yield do
    for subject in subjects:
        subject.close()


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A mapping beside faulty.c, which is compiled where it is used; `source`: under another name."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler (Debian: gcc)")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def do(text: str, name: str = "mine", source: str = "faulty.c") -> Path:
        (tmp_path / source).write_text((HERE / "faulty.c").read_text())
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return do
