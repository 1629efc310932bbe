"""Traces of every shape, and a library that has allocators of every shape."""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, TAKERS, Kind

HERE = Path(__file__).parent
WEIGHTS = {Kind.RESET: 1, Kind.RENEW: 1, Kind.RELEASE: 4, Kind.MARK: 8, Kind.CHECK: 8}
"""Of operations; others have 40."""
Wild = Callable[..., list[Op]]


@pytest.fixture(scope="session")
def wild() -> Wild:
    """Traces with every operation in every state: slots may be empty, dead, NULL, or of the wrong kind.

    `size`: of every block, bytes; where it is 0 sizes differ, from `least` on.
    """

    def draw(kinds: Iterable[Kind], n: int, seed: int, instances: int = 1, size: int = 0, least: int = 0) -> list[Op]:
        rng = random.Random(seed)
        there = sorted({*kinds, Kind.CHECK})
        weights = [WEIGHTS.get(kind, 40) for kind in there]
        ops: list[Op] = []
        made: list[list[int]] = [[] for _ in range(instances)]
        marks: list[list[int]] = [[] for _ in range(instances)]
        for row in range(n):
            kind, at = rng.choices(there, weights)[0], rng.randrange(instances)
            slots = marks[at] if kind == Kind.RELEASE else made[at]
            slot = rng.choice(slots[-12:]) if slots and rng.random() < 0.95 else rng.choice([NONE, NULL, n, *marks[at]])
            asked = size or rng.choice([least, 1, 16, rng.randint(1, 64), rng.randint(1, 64), rng.randint(1, 700)])
            if rng.random() < 0.02 and not size:
                asked = rng.choice([2**63, 2**64 - 1, 2**40, 2**64 - 17])
            if kind == Kind.RESIZE:
                asked = max(asked, 1)
            ops.append(
                Op(
                    kind,
                    asked if kind in MAKERS else 0,
                    slot if kind in TAKERS or kind == Kind.RELEASE else NONE,
                    2 ** rng.randint(4, 8) if kind in ALIGN_TAKERS else 0,
                    rng.randint(1, 3) if kind == Kind.ZALLOC and not size else 1,
                    at,
                )
            )
            if kind in MAKERS:
                made[at].append(row)
            if kind == Kind.MARK:
                marks[at].append(row)
        return ops

    return draw


@pytest.fixture(scope="session")
def shapes_library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of shapes.c, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: gcc)")
    out = tmp_path_factory.mktemp("shapes") / "libshapes.so"
    done = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", str(HERE / "shapes.c"), "-o", str(out)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return str(out)
