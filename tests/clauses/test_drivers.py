"""The driver in Python leaves the same history of every scene as the driver in C."""

from pathlib import Path

import numpy as np
import pytest

from heaplaw import native
from heaplaw.models.scenes import scenes
from heaplaw.spec.history import EVENT_COLUMNS, History
from heaplaw.subjects import ProcessSubject
from heaplaw.subjects.resolve import resolve

from .conftest import Make

GLIBC = """\
library = "libc"
shape = "malloc"
alloc = "malloc(size)"
zeroed = "calloc(count, size)"
realloc = "realloc(ptr, size)"
aligned = "aligned_alloc(align, size)"
posix_memalign = "posix_memalign(&out, align, size)"
free = "free(ptr)"
usable_size = "malloc_usable_size(ptr)"
[promises]
aligned_size = "any"
errno = true
misuse = "abort"
usable = "writable"
"""


def resolved(path: Path, driver: str) -> ProcessSubject:
    """The subject of a mapping, under that driver."""
    (found,) = resolve(str(path))
    assert found.driver == driver
    return found


def answers(history: History, own: bool) -> tuple[object, dict[str, list[int]]]:
    """How it ended, and the columns that do not depend on where the heap lies; in `own` memory, all but addresses.

    The C library's heap is the process's as well: what lies in it, and so how large blocks are, and by which signal a
    misuse of it ends, differs from driver to driver.
    """
    columns = {c.name: np.asarray(history.columns[c.name]).astype(np.int64) for c in EVENT_COLUMNS}
    columns["ptr"] = columns["ptr"] != 0
    if not own:
        del columns["usable"]
    end = history.end if own else (type(history.end), getattr(history.end, "op", None))
    return end, {name: column.tolist() for name, column in columns.items()}


def same(path: Path, own: bool, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run all scenes under both drivers and compare; how many there were."""
    if native.find(native.HOST) is None:
        pytest.skip("the native parts are not built here (no C compiler)")
    in_c = resolved(path, "native")
    monkeypatch.setenv("HEAPLAW_NO_NATIVE", "1")
    in_python = resolved(path, "python")
    traces = list(scenes(in_c.shape.name, in_c.kinds, in_c.env, in_c.offers))
    try:
        for trace in traces:
            c, python = (answers(each.run(trace), own) for each in (in_c, in_python))
            assert c == python, trace.ops()
    finally:
        in_c.close()
        in_python.close()
    return len(traces)


def test_glibc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "glibc.toml"
    path.write_text(GLIBC)
    assert same(path, False, monkeypatch) > 80


@pytest.mark.parametrize(
    ("fault", "policy", "misuse"),
    [
        ("", "", "abort"),
        ("out-is-written", "error", "error"),
    ],
)
def test_an_allocator_of_our_own(
    fault: str, policy: str, misuse: str, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(fault, policy, {"misuse": misuse})
    (path,) = tmp_path.glob("*.toml")
    assert same(path, True, monkeypatch) > 80
