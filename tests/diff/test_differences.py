"""What two allocators do differently: found where it is, with the smallest size and the first step; else nothing."""

from collections.abc import Iterator

import pytest

from heaplaw.difference import staged
from heaplaw.difference.behaving import Probing
from heaplaw.difference.common import apart, narrowed
from heaplaw.difference.probes import PROBES
from heaplaw.errors import UsageError
from heaplaw.spec.shapes import Kind
from heaplaw.subjects import ProcessSubject, resolve

NAMED = {probe.name: probe for probe in PROBES}

pytestmark = pytest.mark.usefixtures("mutants")


@pytest.fixture
def probing(request: pytest.FixtureRequest) -> Iterator[Probing]:
    """Two subjects by name, with their processes ended afterwards."""
    old, new = (resolve(name)[0] for name in request.param)
    kinds = old.kinds & new.kinds
    pair = narrowed(old, kinds, new), narrowed(new, kinds, old)
    yield Probing(*pair)
    for subject in (*pair, old, new):
        subject.close()


@pytest.mark.parametrize("probing", [("mutant:ok-classes", "mutant:ok-null-zero")], indirect=True)
def test_a_request_for_nothing(probing: Probing) -> None:
    found = probing.found(NAMED["zero"])
    assert found is not None
    assert (found.at, found.answers) == (0, ((("a block",),), (("NULL",),)))
    assert probing.found(NAMED["refused"]) is None


@pytest.mark.parametrize("probing", [("mutant:ok-classes", "mutant:ok-firstfit")], indirect=True)
def test_the_smallest_size(probing: Probing) -> None:
    found = probing.found(NAMED["usable"])
    assert found is not None
    n = found.size
    assert n == 1 or probing.differs(NAMED["usable"], n - 1) is None
    assert probing.differs(NAMED["usable"], n) == 0
    assert found.since.startswith((f"sizes {n} to ", f"sizes from {n} on", f"size {n}"))


@pytest.mark.parametrize("probing", [("mutant:ok-classes", "mutant:ok-realloc-moves")], indirect=True)
def test_moved_or_in_place(probing: Probing) -> None:
    found = probing.found(NAMED["same_size"])
    assert found is not None
    assert [side[found.at] for side in found.answers] == [("in place",), ("moved",)]
    assert found.traces[0].op(found.at).kind == Kind.RESIZE


@pytest.mark.parametrize("probing", [("mutant:ok-classes", "mutant:ok-classes")], indirect=True)
def test_what_does_not_repeat_is_not_told(probing: Probing, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers otherwise in a fresh process is said to be unsteady, and nothing else is said of it."""
    other = resolve("mutant:ok-null-zero")[0]
    monkeypatch.setattr(probing.new, "run", other.run)
    try:
        assert probing.differs(NAMED["zero"], 0) == 0
        assert probing.found(NAMED["zero"]) is None
        assert probing.unsteady == [NAMED["zero"].title]
    finally:
        other.close()


def only(name: str, *gone: str) -> ProcessSubject:
    subject = resolve(name)[0]
    subject.offers -= frozenset(gone)
    return subject


@pytest.mark.parametrize("probing", [("mutant:ok-classes", "mutant:ok-null-zero")], indirect=True)
def test_scenes(probing: Probing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged, "PARTS", ("resized to 0 bytes",))
    (found,) = staged.of_scenes(probing)
    ops = found.traces[0].ops()
    assert [op.kind for op in ops] == [Kind.ALLOC, Kind.RESIZE_TO_ZERO]
    assert found.at == 1
    assert found.answers[0][1] != found.answers[1][1]


def test_what_is_not_common() -> None:
    old, new = only("mutant:ok-classes"), only("mutant:ok-classes", "calloc")
    assert [(each.what, each.old, each.new) for each in apart(old, new)] == [("operations", "calloc", "")]
    assert apart(old, old) == []
    narrow = narrowed(old, old.kinds & new.kinds, new)
    assert Kind.ZALLOC not in narrow.kinds
    assert Kind.ZALLOC in old.kinds


def test_nothing_in_common() -> None:
    from heaplaw.difference.common import common_kinds

    with pytest.raises(UsageError, match="no request in common"):
        common_kinds(
            only("mutant:ok-classes", "malloc"),
            only("mutant:ok-classes", "calloc", "aligned_alloc", "posix_memalign"),
        )
