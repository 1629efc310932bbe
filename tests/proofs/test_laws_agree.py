"""Every law means the same on Python's integers and on z3's."""

import random
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from heaplaw.proofs.facts import z3
from heaplaw.proofs.paths import Source
from heaplaw.proofs.prove import Claim, Obligation, Refuted, prove_one
from heaplaw.proofs.symbolic import Reading, SymBool, constant, settled, truth_term
from heaplaw.spec.catalogue import CATALOGUE
from heaplaw.spec.catalogue.cost import Cost, Form
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.event import Block, Env, Event, Run, View
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.report import REPORTS, SILENT, Report, Sums
from heaplaw.spec.shapes import Kind
from heaplaw.spec.verdict import Proved

SEED = 20240301
LAWS = sorted(CATALOGUE.values(), key=lambda law: law.id)
NUMBERS = (0, 1, 2, 7, 8, 63, 64, 0x1000, 0x1008, 0x1040, 2**32, 2**63 - 1, 2**63, 2**64 - 1)


def as_constants(value: Any) -> Any:
    """The same value with z3 constants for its integers and truth values."""
    if isinstance(value, bool):
        return SymBool(z3.BoolVal(value))
    if isinstance(value, int):
        return constant(value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: as_constants(getattr(value, each.name)) for each in fields(value)})
    return value


def as_variables(source: Source, value: Any, name: str) -> Any:
    """The same value with variables for its integers, each assumed to equal one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        variable = source.number(name)
        source.assume(variable == int(value))
        return variable
    return replace(
        value,
        **{each.name: as_variables(source, getattr(value, each.name), f"{name}.{each.name}") for each in fields(value)},
    )


def agrees(law: AnyLaw, args: tuple[Any, ...]) -> None:
    """Premise and body give the same truth on constants as on integers."""
    lifted = tuple(as_constants(arg) for arg in args)
    for part in (law.premise, law.body, law.holds):
        assert settled(truth_term(part(*lifted))) is bool(part(*args)), (law.name, args)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_examples__agree_on_constants(law: AnyLaw) -> None:
    for args in law.accepts:
        agrees(law, args)
        assert law.body(*args)
    for args in law.rejects:
        agrees(law, args)
        assert not law.body(*args)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_examples__are_proved_or_refuted_as_variables(law: AnyLaw) -> None:
    for expected, examples in ((Proved, law.accepts), (Refuted, law.rejects)):
        for args in examples:

            def build(source: Source, args: tuple[Any, ...] = args) -> Claim:
                lifted = tuple(as_variables(source, arg, f"x{index}") for index, arg in enumerate(args))
                return Claim(law.premise(*lifted), law.body(*lifted), law, lifted)

            obligation = Obligation(
                "laws", "example", law.name, law.sentence, "one example", Reading.UNBOUNDED, build, itself
            )
            answer = prove_one(obligation).answer
            assert isinstance(answer, expected), answer


def itself(claim: Claim) -> Claim:
    return claim


def draw_event(rng: random.Random) -> Event:
    env = Env(
        max_align=rng.choice((1, 8, 16)),
        align_by_size=rng.random() < 0.5,
        base=rng.choice(NUMBERS),
        capacity=rng.choice(NUMBERS),
        block_size=rng.choice((1, 8, 24, 64)),
        num_blocks=rng.choice(NUMBERS),
    )
    words: dict[str, Any] = {name: rng.choice(NUMBERS) for name in ("held", "ptr", "usable", "bad_at")}
    words |= {name: rng.choice(NUMBERS[:5]) for name in ("num_free", "num_allocated")}
    says = Report(**{name: rng.choice(NUMBERS) for name in sorted(REPORTS)})
    return Event(
        kind=rng.randrange(1, 13),
        size=rng.choice(NUMBERS),
        align=2 ** rng.randrange(13),
        count=rng.choice(NUMBERS),
        status=rng.randrange(5),
        flags=rng.choice((0, 1, 2, 4, 8, 16)),
        index=rng.randrange(2),
        env=env,
        report=says if rng.random() < 0.5 else SILENT,
        **words,
    )


def draw_view(rng: random.Random) -> View:
    free, allocated, live = (rng.choice(NUMBERS[:5]) for _ in range(3))
    sums = Sums(*(rng.choice(NUMBERS[:-3]) for _ in fields(Sums)))
    return View(free, allocated, live, rng.random() < 0.5, rng.choice(NUMBERS), sums=sums)


def draw(rng: random.Random, scope: Scope) -> tuple[Any, ...]:
    if scope is Scope.EVENT:
        return (draw_event(rng),)
    if scope is Scope.STEP:
        return draw_view(rng), draw_event(rng), draw_view(rng)
    if scope is Scope.LAYOUT:
        half = [number for number in NUMBERS if number <= 2**63]
        numbers = [rng.choice(half) for _ in range(5)]
        powers = [2 ** rng.randrange(63) for _ in range(3)]
        valid, served = (rng.random() < 0.7 for _ in range(2))
        size, then_size, count, got_size, offset = numbers
        align, then_align, got_align = powers
        asked = rng.choice(list(Asked))
        return (Laid(asked, size, align, then_size, then_align, count, valid, served, got_size, got_align, offset),)
    if scope is Scope.COST:
        counts = [rng.choice((0, 1, 10, 24, 100, 8_000, 8_001, rng.randrange(10**4))) for _ in range(5)]
        return (Cost(rng.choice(list(Kind)), rng.choice(list(Form)), *counts),)
    if scope is Scope.PAIR:
        return tuple(Block(*(rng.choice(NUMBERS) for _ in range(4))) for _ in range(2))
    return (Run(rng.random() < 0.5, *(rng.choice(NUMBERS) for _ in range(4))),)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_random__agree_on_constants(law: AnyLaw) -> None:
    rng = random.Random(f"{SEED} {law.id}")
    for _ in range(60):
        agrees(law, draw(rng, law.scope))
