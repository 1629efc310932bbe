"""Symbolic execution against concrete runs: the same input takes just one path, and comes to the same result.

(a) A scenario runs on Python's integers, or on those that wrap; (b) it is explored on symbolic values that are assumed
to be these. Of the paths of (b) just one can be taken, under the operators' exact meaning, and what it computes is
what (a) did: results, and memory.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from heaplaw.proofs.concrete import Concrete
from heaplaw.proofs.facts import z3
from heaplaw.proofs.paths import Path, Source, explore
from heaplaw.proofs.prove import Claim, Obligation, Refuted, prove_one
from heaplaw.proofs.symbolic import Reading, SymBool, SymInt, plain
from heaplaw.refimpl.steps import arena, bump, freelist, pool, stack
from heaplaw.spec.history import Op
from heaplaw.spec.layout import align_up
from heaplaw.spec.logic import Truth, Word, implies, ite, mod_pow2, neg
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Error, Proved, Unknown

RLIMIT = 3_000_000
TOP = 2**64

# ------------------------------------------------------------------------------------------------- both engines


@dataclass
class Given(Concrete):
    """A concrete source whose numbers and words are given."""

    numbers: dict[str, int]
    words: Mapping[int, int]
    reading: Reading

    def __post_init__(self) -> None:
        self.assumed = self.preferred = True
        self._tables = 0

    def number(self, name: str) -> int:
        return self.numbers[name]

    def table(self, name: str) -> Any:
        return _Words(self.words)


@dataclass(frozen=True)
class _Words:
    words: Mapping[int, int]

    def __getitem__(self, key: int) -> int:
        return self.words.get(int(key), 0)


@dataclass(frozen=True)
class Came:
    """What a run came to: named values, and the words at the addresses that were touched."""

    values: tuple[Any, ...]
    touched: tuple[Any, ...]
    words: tuple[Any, ...]


Run = Callable[[Source], Came]


def flat(value: Any) -> tuple[Any, ...]:
    """The integers and truth values in a result."""
    value = plain(value)
    if isinstance(value, tuple):
        return tuple(each for part in value for each in flat(part))
    if hasattr(value, "__dataclass_fields__"):
        return tuple(each for name in value.__dataclass_fields__ for each in flat(getattr(value, name)))
    return (value,)


def came(result: Any, memory: Any) -> Came:
    touched = tuple(memory.accessed)
    return Came(flat(result), touched, tuple(memory.words[address] for address in touched))


def same(mine: Any, expected: Any) -> Any:
    """The symbolic value is the concrete one, as a term."""
    if isinstance(mine, SymBool):
        return mine.term == z3.BoolVal(bool(expected))
    return mine.term == int(expected) if isinstance(mine, SymInt) else z3.BoolVal(mine == expected)


def both(run: Run, reading: Reading, numbers: dict[str, int], words: Mapping[int, int] = {}) -> Came:
    """Run concretely and symbolically, and hold the two together; what came of it."""
    expected = run(Given(dict(numbers), words, reading))
    words = {**dict.fromkeys(map(int, expected.touched), 0), **words}

    def pinned(source: Source) -> Came:
        for name, value in numbers.items():
            source.assume(source.number(name) == value)
        table = source.table("word")
        for address, word in words.items():
            source.assume(table[address] == word)
        return run(source)

    paths: list[Path[Came]] = explore(pinned, reading, RLIMIT)
    takable = [path for path in paths if path.possible(*path.facts.meaning(numbers)) == z3.sat]
    assert len(takable) == 1, (numbers, len(paths), len(takable))
    (path,) = takable
    mine = path.result
    assert mine is not None
    for part in ("values", "touched", "words"):
        ours, theirs = getattr(mine, part), getattr(expected, part)
        assert len(ours) == len(theirs), (numbers, part)
        differs = [z3.Not(same(a, b)) for a, b in zip(ours, theirs, strict=True)]
        assert path.possible(z3.Or(*differs), *path.facts.meaning(numbers)) == z3.unsat, (numbers, part, theirs)
    return expected


# ---------------------------------------------------------------------------------------------- random programs

COMPARISONS: tuple[Callable[[Any, Any], Truth], ...] = (
    lambda a, b: a < b,
    lambda a, b: a <= b,
    lambda a, b: a == b,
    lambda a, b: neg(a == b),
    lambda a, b: (a > b) | (a == 0),
    lambda a, b: (a >= b) & (b > 3),
    lambda a, b: implies(a > 8, b > 8),
)
ARITHMETIC: tuple[Callable[[Any, Any], Any], ...] = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * 24 + b,
    lambda a, b: 2**63 - a,
    lambda a, b: a // 8 + b % 24,
    lambda a, b: ite(a <= b, a, b),
    lambda a, b: align_up(a, 16),
    lambda a, b: mod_pow2(a, 4096),
    lambda a, b: a * b,
    lambda a, b: a // ite(b == 0, 1, b),
    lambda a, b: a % ite(b == 0, 1, b),
)


@dataclass(frozen=True)
class Instruction:
    """Of a random program on four registers: compute, write or read a word, or branch."""

    kind: str
    into: int
    a: int
    b: int
    act: Callable[[Any, Any], Any] = lambda a, b: a
    then: tuple["Instruction", ...] = field(default=())
    otherwise: tuple["Instruction", ...] = field(default=())


def draw(rng: random.Random, length: int, depth: int = 0) -> tuple[Instruction, ...]:
    program: list[Instruction] = []
    for _ in range(length):
        kind = rng.choice(("compute", "compute", "branch", "read", "write") if depth < 2 else ("compute", "write"))
        into, a, b = (rng.randrange(4) for _ in range(3))
        if kind == "branch":
            then, otherwise = (draw(rng, rng.randrange(1, 3), depth + 1) for _ in range(2))
            program.append(Instruction(kind, into, a, b, rng.choice(COMPARISONS), then, otherwise))
        else:
            program.append(Instruction(kind, into, a, b, rng.choice(ARITHMETIC)))
    return tuple(program)


def follow(program: tuple[Instruction, ...], registers: list[Any], memory: Any) -> None:
    for each in program:
        a, b = registers[each.a], registers[each.b]
        if each.kind == "compute":
            registers[each.into] = each.act(a, b)
        elif each.kind == "read":
            registers[each.into] = memory.read(a)
        elif each.kind == "write":
            memory.write(a, b)
        elif each.act(a, b):
            follow(each.then, registers, memory)
        else:
            follow(each.otherwise, registers, memory)


def running(source: Source, program: tuple[Instruction, ...]) -> Came:
    memory = source.memory(source.table("word"))
    registers: list[Any] = [source.machine(source.number(name)) for name in "wxyz"]
    follow(program, registers, memory)
    return came(tuple(registers), memory)


VALUES = (0, 1, 7, 8, 9, 24, 4095, 2**63 - 1, 2**63, TOP - 8, TOP - 1)


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
@pytest.mark.parametrize("seed", range(15))
def test_random_programs__take_one_path_to_the_same_result(seed: int, reading: Reading) -> None:
    rng = random.Random(f"program {seed}")
    program = draw(rng, 5)
    for _ in range(2):
        numbers = {name: rng.choice(VALUES) for name in "wxyz"}
        words = {value: rng.choice(VALUES) for value in numbers.values()}
        both(partial(running, program=program), reading, numbers, words)


@pytest.mark.parametrize("seed", range(15))
def test_random_programs__have_paths_that_are_a_partition(seed: int) -> None:
    rng = random.Random(f"partition {seed}")
    program = draw(rng, 5)
    paths = explore(partial(running, program=program), Reading.W64, RLIMIT)
    for _ in range(4):
        pinned = [z3.Int(name) == rng.choice(VALUES) for name in "wxyz"]
        words = z3.K(z3.IntSort(), z3.IntVal(rng.choice(VALUES)))
        for value in VALUES:
            words = z3.Store(words, value, rng.choice(VALUES))
        pinned.append(z3.Array("word", z3.IntSort(), z3.IntSort()) == words)
        assert len([path for path in paths if path.possible(*pinned, *path.facts.meaning({})) == z3.sat]) == 1


# --------------------------------------------------------------------------------------------------- real steps


def drawn_buffer(rng: random.Random) -> tuple[int, int]:
    capacity = rng.choice((0, 40, 64, 4096, 4096, 8192))
    buffer = rng.choice((8, 0x1003, 0x10000, 2**63, TOP - 1 - capacity, TOP - 4096 - capacity))
    return buffer, capacity


def sized(rng: random.Random) -> int:
    return rng.choice((0, 1, 8, 17, 24, 57, 4096, 2**63, TOP - 1, TOP - 9))


def asked(source: Source) -> Op:
    """A request of any size, and of any alignment: on a path remainders by that are known by facts alone."""
    return Op(Kind.ALIGNED, source.machine(source.number("size")), align=source.machine(source.power("align")))


def of_bump(source: Source) -> Came:
    memory = source.memory(source.table("word"))
    state = bump.BumpState(
        *(source.machine(source.number(name)) for name in ("buffer", "capacity", "offset", "offset"))
    )
    after, e = bump.step(state, asked(source), 0, memory)
    return came((e.served, after, e), memory)


def of_stack(source: Source) -> Came:
    memory = source.memory(source.table("word"))
    numbers = ("buffer", "capacity", "offset", "below")
    state = stack.StackState(*(source.machine(source.number(name)) for name in numbers))
    after, e = stack.step(state, asked(source), 0, memory)
    popped, _ = stack.step(after, Op(Kind.POP), 0, memory)
    return came((e.served, after, e, popped), memory)


def of_arena(source: Source) -> Came:
    memory = source.memory(source.table("word"))
    buffer, capacity, offset = (source.machine(source.number(name)) for name in ("buffer", "capacity", "offset"))
    state = arena.ArenaState(source.machine(64), buffer, buffer + offset, buffer + capacity, offset)
    op = asked(source)
    there = arena.fits(state, op.size, op.align)
    return came((there, arena.bump(state, op.size, op.align)), memory)


REGIONS = {"bump": of_bump, "stack": of_stack, "arena": of_arena}


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
@pytest.mark.parametrize("name", REGIONS)
def test_regions__take_one_path_to_the_same_result(name: str, reading: Reading) -> None:
    rng, served = random.Random(f"{name} regions"), set[bool]()
    for align in (1, 2, 8, 16, 64, 4096, 2**63):
        for _ in range(3):
            buffer, capacity = drawn_buffer(rng)
            offset = rng.choice((0, rng.randrange(capacity + 1)))
            numbers = {"buffer": buffer, "capacity": capacity, "offset": offset, "size": sized(rng), "align": align}
            if name == "stack":
                numbers["below"] = rng.randrange(offset + 1)
            served.add(bool(both(REGIONS[name], reading, numbers).values[0]))
    assert served == {True, False}


def of_pool(source: Source, kind: Kind) -> Came:
    memory = source.memory(source.table("word"))
    names = ("buffer", "block_size", "num_blocks", "free_list", "num_free")
    state = pool.PoolState(*(source.machine(source.number(name)) for name in names))
    return came(pool.step(state, Op(kind), source.machine(source.number("ptr")), memory), memory)


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
@pytest.mark.parametrize("kind", [Kind.ALLOC, Kind.FREE], ids=lambda kind: kind.name)
def test_pool__takes_one_path_to_the_same_result(kind: Kind, reading: Reading) -> None:
    rng = random.Random(f"pool {kind}")
    for _ in range(8):
        size, count = rng.choice((8, 24, 4096)), rng.randrange(1, 5)
        buffer = rng.choice((8, 0x1000, TOP - size * count))
        free = rng.sample(range(count), rng.randrange(count + 1))
        places = [buffer + size * index for index in free]
        words = dict(zip(places, [*places[1:], 0], strict=False))
        numbers = {"buffer": buffer, "block_size": size, "num_blocks": count, "num_free": len(free)}
        numbers |= {"free_list": places[0] if places else 0, "ptr": buffer + size * rng.randrange(count)}
        both(partial(of_pool, kind=kind), reading, numbers, words)


def of_visit(source: Source, align: int) -> Came:
    """A turn of the walk, and the block taken where it fits, and given back."""
    memory = source.memory(source.table("word"))
    names = ("buffer", "capacity", "before", "block", "size")
    buffer, capacity, before, block, size = (source.machine(source.number(name)) for name in names)
    state = freelist.FreeListState(buffer, capacity, block, source.machine(0))
    place = freelist.Place(before, block)
    fits, onward = freelist.visit(place, size, align, memory)
    if not fits:
        return came((False, onward), memory)
    after, ptr = freelist.take(state, place, size, align, onward.block, memory)
    return came((True, onward, after, ptr, freelist.dealloc(after, ptr, memory)), memory)


def of_join(source: Source) -> Came:
    memory = source.memory(source.table("word"))
    names = ("buffer", "capacity", "before", "block", "room", "following")
    buffer, capacity, before, block, room, following = (source.machine(source.number(name)) for name in names)
    state = freelist.FreeListState(buffer, capacity, ite(before == 0, following, before), source.machine(0), True)
    here, place = freelist.pass_by(freelist.Place(before, following), block, memory)
    return came((here, place, freelist.join(state, freelist.Place(before, following), block, room, memory)), memory)


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
def test_freelist__takes_one_path_to_the_same_result(reading: Reading) -> None:
    rng, fitted = random.Random("freelist"), set[bool]()
    for align in (8, 16, 64, 2**63):
        for _ in range(3):
            room, buffer = 8 * rng.randrange(4, 20), rng.choice((0x1000, 0x1008, 2**63 - 64, TOP - 512))
            block = buffer + 64
            numbers = {"buffer": buffer, "capacity": 400, "before": rng.choice((0, buffer)), "block": block}
            numbers["size"] = rng.choice((0, 1, 24, room - 16, room, TOP - 1))
            words = {block: room, block + 8: rng.choice((0, block + room + 64))}
            fitted.add(bool(both(partial(of_visit, align=align), reading, numbers, words).values[0]))
    assert fitted == {True, False}


@pytest.mark.parametrize("reading", Reading, ids=lambda reading: reading.name)
def test_join__takes_one_path_to_the_same_result(reading: Reading) -> None:
    rng = random.Random("join")
    for touches_below in (False, True):
        for touches_above in (False, True):
            buffer, room = 0x1000, 8 * rng.randrange(4, 10)
            block = buffer + (32 if touches_below else 64)
            following = block + room + (0 if touches_above else 8)
            numbers = {"buffer": buffer, "capacity": 4096, "before": buffer, "block": block, "room": room}
            words = {buffer: 32, buffer + 8: following, following: 64, following + 8: 0}
            both(of_join, reading, {**numbers, "following": following}, words)


# ------------------------------------------------------------------------------------- what must not go unnoticed


def obligation(scenario: Callable[[Source], Any], claim: Callable[[Any], Claim], **more: Any) -> Obligation[Any]:
    return Obligation("a", "test", "claim", "a claim", "all", Reading.UNBOUNDED, scenario, claim, **more)


def test_a_wrong_run__is_noticed() -> None:
    def wrong(source: Source) -> Came:
        x = source.number("x")
        return Came((x + 1 if isinstance(x, int) else x + 2,), (), ())

    with pytest.raises(AssertionError):
        both(wrong, Reading.W64, {"x": 5})


def test_claim_that_forks__is_an_error() -> None:
    def claim(x: Word) -> Claim:
        return Claim(True, True if x > 3 else x != 2)

    answer = prove_one(obligation(lambda source: source.number("x"), claim)).answer
    assert isinstance(answer, Error)
    assert "a claim forks" in answer.why


def test_possible__is_shown_by_integers_or_refuted_by_name() -> None:
    def numbers(source: Source) -> Word:
        x = source.number("x")
        source.assume(x > 3, "more than 3")
        source.assume(x < 9, "less than 9")
        source.assume(x != 5, "not 5")
        return x

    def cases(x: Word, value: int) -> Claim:
        return Claim(True, True, cases={"it is 4": x == 4, "it is the value": x == value})

    assert isinstance(prove_one(obligation(numbers, lambda x: cases(x, 8), possible=True)).answer, Proved)
    answer = prove_one(obligation(numbers, lambda x: cases(x, 9), possible=True)).answer
    assert isinstance(answer, Refuted)
    assert answer.words == "it is the value: these contradict each other: less than 9"


def test_possible__is_asked_on_each_path() -> None:
    def forked(source: Source) -> Word:
        x = source.number("x")
        if x > 3:
            source.assume(x < 2, "small")
        return x

    answer = prove_one(obligation(forked, lambda x: Claim(True, True), possible=True)).answer
    assert isinstance(answer, Refuted)
    assert "small" in answer.words


def test_possible__what_does_not_replay_is_unknown() -> None:
    def claim(x: Word) -> Claim:
        return Claim(True, True, cases={"it is": x == 1 if isinstance(x, int) else x == 2})

    assert isinstance(prove_one(obligation(lambda source: source.number("x"), claim, possible=True)).answer, Unknown)
