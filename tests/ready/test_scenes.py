"""Scenes ask for nothing that a mapping says must not be asked for."""

from dataclasses import replace

import pytest

from heaplaw.models.scenes import scenes
from heaplaw.spec.event import Env
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

KINDS = frozenset({Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED, Kind.FREE})
OFFERS = frozenset({"C functions", "usable_size"})


def asked(env: Env) -> list[Op]:
    """Every operation of every scene."""
    return [trace.op(index) for trace in scenes("malloc", KINDS, env, OFFERS) for index in range(len(trace))]


@pytest.mark.parametrize("multiple", [True, False])
def test_aligned_sizes_that_are_no_multiples(multiple: bool) -> None:
    ops = [op for op in asked(replace(Env(), aligned_multiple=multiple)) if op.kind is Kind.ALIGNED]
    assert ops
    assert any(op.size % op.align for op in ops) is not multiple


def test_misuse_without_a_policy() -> None:
    assert Kind.MISFREE not in {op.kind for op in asked(Env())}


def test_usable_bytes_without_a_promise() -> None:
    assert Kind.FILL_USABLE not in {op.kind for op in asked(Env())}
