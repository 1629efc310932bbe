"""What is drawn from knowledge: valid, repeatable, within limits, and edited without losing track of blocks."""

from dataclasses import replace

import numpy as np
import pytest

from heaplaw.models import generate
from heaplaw.models.adaptive import PROBES, STRETCHES, Kit, Knowledge, drained, edited, fitted, program
from heaplaw.models.adaptive.pieces import MOST_BYTES, inserted, open_blocks, without
from heaplaw.models.plain import with_table_sizes
from heaplaw.models.script import Script, bare, joined, script_of
from heaplaw.spec.event import NONE, Env
from heaplaw.spec.history import Op, make_trace, plain_env
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, REQUESTS, SHAPES, TAKERS, Kind

KNOWN = Knowledge((16, 32, 48, 512, 2048), ((3000, 5000),), 40_000, 70_000, ((48, 90),), ((64, 31),), (16, 4096))


def env_of(shape: str) -> Env:
    plain = plain_env(shape)
    if shape == "pool":
        return replace(plain, block_size=24, num_blocks=6)
    return plain if shape in ("malloc", "lua_alloc") else replace(plain, capacity=65_536, max_request=2**32 - 1)


def kinds_of(shape: str) -> frozenset[Kind]:
    return SHAPES[shape].operations | {Kind.RENEW}


def pieces(kit: Kit) -> list[Script]:
    """One of everything, and edits of it."""
    made = [probe(kit, 400) for probe in PROBES]
    made += [draw(kit, 400) for _, draw in STRETCHES.values()]
    made += [program(kit, 400) for _ in range(10)]
    kept = [piece for piece in made if len(piece)]
    return made + [edited(kit, kept, 400) for _ in range(30)]


@pytest.mark.parametrize("shape", SHAPES)
def test_pieces_are_valid_and_ask_for_nothing_that_is_out_of_bounds(shape: str) -> None:
    env, kinds = env_of(shape), kinds_of(shape)
    total = 0
    for seed in range(2):
        kit = Kit(np.random.default_rng(seed), kinds, env, KNOWN if seed % 2 else Knowledge())
        for piece in pieces(kit):
            script = drained(fitted(piece, kit), kit)
            total += len(script)
            for at, (kind, slot) in enumerate(zip(script.kind.tolist(), script.slot.tolist(), strict=True)):
                assert kind in kinds | {Kind.CHECK}
                assert slot < at or slot == NONE
                if kind in TAKERS or kind == Kind.RELEASE:
                    assert script.kind[slot] in ((Kind.MARK,) if kind == Kind.RELEASE else MAKERS)
            asks = np.isin(script.kind, [int(kind) for kind in MAKERS])
            assert (script.size[asks] <= np.uint64(env.max_request)).all()
            assert (script.count[script.kind != Kind.ZALLOC] == 1).all()
            aligned = np.isin(script.kind, [int(kind) for kind in ALIGN_TAKERS])
            assert (script.align[aligned] <= np.uint64(env.max_request_align)).all()
            served = script.size.astype(float) * script.count
            assert served[asks & (served < 2.0**31)].sum() <= MOST_BYTES
    assert total > 2_500


def test_the_same_seed_draws_the_same() -> None:
    def drawn(seed: int) -> list[Script]:
        return pieces(Kit(np.random.default_rng(seed), kinds_of("malloc"), env_of("malloc"), KNOWN))

    def columns(script: Script) -> list[list[int]]:
        return [column.tolist() for column in vars(script).values()]

    first, again, other = drawn(3), drawn(3), drawn(4)
    assert list(map(columns, first)) == list(map(columns, again))
    assert list(map(columns, first)) != list(map(columns, other))


def test_what_can_only_be_refused_is_left_out_where_it_ends_the_process() -> None:
    kit = Kit(np.random.default_rng(0), kinds_of("malloc"), env_of("malloc"), huge=False)
    wanted = script(Op(A, 2**50), Op(A, 10), Op(Kind.RESIZE, 2**50, 1), Op(F, slot=2), Op(F, slot=1))
    assert fitted(wanted, kit).size.tolist() == [10, 0]
    assert len(fitted(wanted, replace(kit, huge=True))) == 5


def test_what_is_known_is_what_is_asked_for() -> None:
    """Edges and full counts are met exactly, and one step beside."""
    kit = Kit(np.random.default_rng(0), kinds_of("malloc"), env_of("malloc"), KNOWN)
    asked = {size for _ in range(40) for size in STRETCHES["boundary burst"][1](kit, 200).size.tolist()}
    assert {16, 17, 15, 512, 513, 2048, 2049} <= asked
    filled = [STRETCHES["exact fill"][1](kit, 600) for _ in range(60)]
    runs = {int((script.size == 64).argmin()) for script in filled if script.size[0] == 64}
    assert {30, 31, 32} & runs


def script(*ops: Op) -> Script:
    read = script_of(make_trace("malloc", ops))
    words = (column.astype(np.uint64) for column in (read.size, read.align, read.count))
    return Script(read.kind.astype(np.uint8), read.slot, *words)


A, F = Kind.ALLOC, Kind.FREE
PAIR = script(Op(A, 10), Op(A, 20), Op(F, slot=0), Op(F, slot=1))


def test_a_stretch_goes_between_others_and_each_keeps_its_blocks() -> None:
    whole = inserted(PAIR, script(Op(A, 7), Op(F, slot=0)), 1)
    assert whole.size.tolist() == [10, 7, 0, 20, 0, 0]
    assert whole.slot.tolist() == [NONE, NONE, 1, NONE, 0, 3]


def test_what_named_a_block_that_is_gone_goes_too() -> None:
    chain = script(Op(A, 10), Op(Kind.RESIZE, 20, 0), Op(A, 5), Op(F, slot=1), Op(F, slot=2))
    rest = without(chain, np.array([True, False, False, False, False]))
    assert (rest.kind.tolist(), rest.slot.tolist()) == ([A, F], [NONE, 0])
    assert without(chain, np.zeros(5, np.bool_)) is chain


def test_what_is_left_is_given_back() -> None:
    left = script(Op(A, 10), Op(A, 20), Op(Kind.RESIZE, 30, 0), Op(F, slot=1))
    assert open_blocks(left).tolist() == [2]
    kit = Kit(np.random.default_rng(0), kinds_of("malloc"), env_of("malloc"))
    assert drained(left, kit).slot.tolist()[-1] == 2
    stack = Kit(np.random.default_rng(0), frozenset({A, Kind.POP}), env_of("stack"))
    assert drained(joined([bare(np.full(3, A, np.uint8))]), stack).kind.tolist() == [A] * 3 + [Kind.POP] * 3


@pytest.mark.parametrize("shape", ["malloc", "freelist", "stack", "pool"])
def test_the_plain_order_with_other_sizes_is_the_same_order(shape: str) -> None:
    env, kinds = env_of(shape), SHAPES[shape].operations
    plain = next(generate.campaigns(shape, kinds, env, 3_000, 1, "uniform"))
    other = with_table_sizes(plain, kinds)
    for name in ("kind", "slot"):
        assert np.asarray(plain.columns[name]).tolist() == np.asarray(other.columns[name]).tolist()
    if shape == "pool":
        assert other is plain
        return
    asks = np.isin(np.asarray(other.columns["kind"]), [int(kind) for kind in REQUESTS])
    sizes = np.asarray(other.columns["size"])[asks]
    assert int(sizes.max()) <= env.max_request
    few = np.asarray(plain.columns["size"])[asks]
    assert np.median(sizes) < np.median(few)
