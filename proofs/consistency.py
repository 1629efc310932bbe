"""The laws themselves can be kept together: no two of a shape contradict each other.

For each shape, z3 finds arguments on which *all* laws on operations hold at once (those on an event and those on a
step), where a given one of them speaks: one such model for each law, for each two that can speak at once, for each
operation served, each request refused, each promise made. Likewise for laws on pairs of blocks, on runs, and on
layouts. Each model is looked at again by the very same laws, on Python's integers. Laws that never speak at once (of
zero-sized requests, what is promised to be refused and what is promised to be served) are so asked one after the other.

Refuted means that some laws contradict each other, and the answer names them. What is shown is that there are
situations in which all laws can be kept, for each law and each two some in which they speak; not that there is an
answer in every situation: that is what the reference's own proofs show.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any

from heaplaw.spec.catalogue import CATALOGUE, laws_of
from heaplaw.spec.catalogue.cost import Cost
from heaplaw.spec.catalogue.layouts import Asked, Laid
from heaplaw.spec.dialects import Dialect
from heaplaw.spec.event import Block, Direction, Env, Event, Flag, Order, Padding, Policy, Run, Status, View, Zero
from heaplaw.spec.history import plain_env
from heaplaw.spec.law import AnyLaw, Scope
from heaplaw.spec.logic import Truth, Word, every, one_of
from heaplaw.spec.report import Report, Sums
from heaplaw.spec.shapes import FUNCTION_OF, REQUESTS, SHAPES, Kind

from .claims import as_stated
from .facts import z3
from .paths import Path, Source
from .prove import RLIMIT, Claim, Obligation
from .symbolic import Reading, truth_term

PART = "laws"
LAYOUTS = "layouts"
"""Where the laws are that speak of no shape."""
OPERATIONS, PAIRS, RUNS, COSTS = "operation", "pair", "run", "cost"
SCOPES = {
    OPERATIONS: (Scope.EVENT, Scope.STEP),
    PAIRS: (Scope.PAIR,),
    RUNS: (Scope.RUN,),
    COSTS: (Scope.COST,),
}
"""Laws that are to hold of the same thing."""
WORDS = "all laws can be kept at once, wherever one of them speaks"
ALSO = "; each operation served, each request refused, each promise made"
ANSWERS = (
    (
        {"aligned", "sized", "usable_size_covers_request", "in_bounds", "realloc_keeps_prefix", "zeroed"}
        | {"bump_monotonic", "small_sizes_aligned"},
        {"overflow_is_failure"},
    ),
    (
        {"failure_is_reported", "realloc_failure_keeps_block", "errno_told", "refusal_says_enomem", "out_pointer_kept"},
        {"free_is_served", "made_again", "shrink_succeeds", "freed_is_reusable", "capacity_comes_back"}
        | {"small_request_served", "odd_size_served", "best_fit"},
    ),
    ({"failure_changes_nothing"}, {"usable_bytes_writable"}),
)
"""Laws that speak of an answer only, of blocks that were handed out, or of refusals; and laws that forbid that answer
wherever they speak. Where both speak one is broken already.
"""
PROMISES: Mapping[str, Iterable[int]] = {"direction": Direction, "padding": Padding, "reuse_order": Order}
"""What laws take into account, and its values."""
_CONSTANT = {"env", "report", "sums"}


def _numbers(source: Source, name: str, names: list[str]) -> dict[str, Word]:
    """Any words of 64 bits."""
    values = {each: source.number(f"{name}.{each}") for each in names}
    for value in values.values():
        source.assume((value >= 0) & (value < source.modulus), "")
    return values


def _members(source: Source, name: str, values: Any) -> Word:
    """Any of the values of an enumeration."""
    number = source.number(name)
    source.assume(one_of(number, [int(each) for each in values]), "")
    return number


def any_env(source: Source, shape: str) -> Env:
    """What a subject of that shape may promise, over a buffer that fits the address space."""
    given = SHAPES[shape]
    numbers = _numbers(source, "env", ["base", "capacity", "block_size", "num_blocks", "remaining", "total"])
    limits = _numbers(source, "env", ["header", "limit", "overhead", "chunk", "minimum"])
    source.assume(numbers["base"] + numbers["capacity"] <= source.modulus, "")
    return replace(
        plain_env(shape),
        **numbers,
        **limits,
        most_cost=4,
        coalesces=shape in ("malloc", "freelist"),
        one_buffer=given.one_buffer,
        constant_alloc=shape != "freelist",
        zero_size=_members(source, "env.zero_size", Zero),
        direction=_members(source, "env.direction", Direction),
        padding=_members(source, "env.padding", Padding),
        reuse_order=_members(source, "env.reuse_order", Order),
        dialects=_members(source, "env.dialects", (0, *Dialect)),
        zero_resize=_members(source, "env.zero_resize", Zero),
        double_free=_members(source, "env.double_free", Policy),
        interior_free=_members(source, "env.interior_free", Policy),
        unaligned_free=_members(source, "env.unaligned_free", Policy),
        foreign_free=_members(source, "env.foreign_free", Policy),
    )


def any_event(source: Source, shape: str) -> Event:
    """Any operation of that shape, of one element aligned to 64 where it says so, and any answer."""
    plain = [
        field.name
        for field in fields(Event)
        if field.name not in ("kind", "status", "flags", "align", "count", *_CONSTANT)
    ]
    own = SHAPES[shape].operations
    probes = (probe for probe, function in FUNCTION_OF.items() if function in own)
    kinds = (*own, Kind.CHECK, Kind.RENEW, *probes, Kind.FILL_USABLE)
    return Event(
        kind=_members(source, "kind", kinds),
        status=_members(source, "status", Status),
        flags=_members(source, "flags", Flag),
        align=64,
        report=Report(**_numbers(source, "report", [field.name for field in fields(Report)])),
        env=any_env(source, shape),
        **_numbers(source, "event", plain),
    )


def any_view(source: Source, name: str) -> View:
    """Any heap between two operations."""
    truths = [field.name for field in fields(View) if isinstance(field.default, bool)]
    plain = [field.name for field in fields(View) if field.name not in truths and field.name not in _CONSTANT]
    return View(
        **{each: source.truth(f"{name}.{each}") for each in truths},
        **_numbers(source, name, plain),
        sums=Sums(**_numbers(source, f"{name}.sums", [field.name for field in fields(Sums)])),
    )


def any_block(source: Source, name: str) -> Block:
    """Any block within the address space."""
    block = Block(**_numbers(source, name, [field.name for field in fields(Block)]))
    source.assume((block.ptr + block.extent <= source.modulus) & (block.ptr + block.usable <= source.modulus), "")
    return block


def any_run(source: Source) -> Run:
    """Any run."""
    numbers = _numbers(source, "run", [field.name for field in fields(Run) if field.name != "steady"])
    return Run(steady=source.truth("run.steady"), **numbers)


def any_cost(source: Source) -> Cost:
    """What any operation costs, in any two heaps."""
    return Cost(**_numbers(source, "cost", [field.name for field in fields(Cost)]))


def any_layout(source: Source) -> Laid:
    """Any request for a layout with parts aligned to 8 and to 64 bytes, repeated three times if at all."""
    numbers = _numbers(source, "laid", ["size", "then_size", "got_size", "got_align", "offset"])
    for each in numbers.values():
        source.assume(each <= 2**63, "")
    asked = _members(source, "laid.asked", Asked)
    valid, served = source.truth("laid.valid"), source.truth("laid.served")
    return Laid(asked=asked, align=8, then_align=64, count=3, valid=valid, served=served, **numbers)


# --------------------------------------------------------------------------------------------------------- cases


def speaks(each: AnyLaw, args: tuple[Any, ...]) -> Truth:
    """The law's premise; one on an event sees nothing else of a step."""
    return each.premise(args[1]) if each.scope is Scope.EVENT else each.premise(*args)


def holds(each: AnyLaw, args: tuple[Any, ...]) -> Truth:
    """The law, likewise."""
    return each.holds(args[1]) if each.scope is Scope.EVENT else each.holds(*args)


def answers(shape: str, pre: View, e: Event, post: View) -> dict[str, Truth]:
    """Every operation is served, every request refused, every promise kept."""
    kinds = sorted(SHAPES[shape].operations)
    cases = {f"{kind.name} is served": e.served & (e.kind == kind) for kind in kinds}
    cases |= {
        f"{kind.name} is refused": e.failed & (e.kind == kind) for kind in kinds if kind in (*REQUESTS, Kind.RESIZE)
    }
    if SHAPES[shape].sized:
        nothing = e.asks & (e.size == 0)
        cases["0 bytes are refused"] = nothing & (e.env.zero_size == Zero.NULL) & e.failed
        cases["0 bytes are served"] = nothing & (e.env.zero_size == Zero.UNIQUE) & e.served
    for name, values in PROMISES.items():
        for each in values:
            cases[f"{name} is {each}"] = e.makes & (pre.live >= 1) & (getattr(e.env, name) == each)
    return cases


# ---------------------------------------------------------------------------------------------------- scenarios


def laws_on(shape: str, about: str) -> list[AnyLaw]:
    """The laws of a shape on operations, pairs or runs, as they stand in the catalogue now."""
    if shape == LAYOUTS:
        return [each for each in CATALOGUE.values() if each.scope is Scope.LAYOUT]
    return [each for each in laws_of(shape, scenes=True) if each.scope in SCOPES[about]]


def arguments(source: Source, shape: str, about: str) -> tuple[Any, ...]:
    """Any arguments of such laws."""
    if about == OPERATIONS:
        return any_view(source, "before"), any_event(source, shape), any_view(source, "after")
    if about == PAIRS:
        return any_block(source, "a"), any_block(source, "b")
    made = {RUNS: any_run, COSTS: any_cost}.get(about, any_layout)
    return (made(source),)


@dataclass
class Together:
    """All laws of a shape hold at once, in each of the cases that are asked for."""

    shape: str
    about: str
    sets: list[tuple[str, ...]] | None = None
    """Laws that speak at once: among them is every two that can. Found when they are first asked for."""

    def __call__(self, source: Source) -> Claim:
        """The scenario, with its claim."""
        laws, args = laws_on(self.shape, self.about), arguments(source, self.shape, self.about)
        if self.sets is None:
            self.sets = speaking(laws, self.shape, self.about)
        truths = {each.name: speaks(each, args) for each in laws}
        for each in laws:
            source.assume(holds(each, args), each.name)
        cases = {f"{each.name} speaks": truths[each.name] for each in laws}
        cases |= {f"{', '.join(names)} speak at once": every(truths[name] for name in names) for names in self.sets}
        return Claim(True, True, cases=cases | (answers(self.shape, *args) if self.about == OPERATIONS else {}))


def apart(one: str, other: str) -> bool:
    """One of the laws speaks of an answer that the other forbids."""
    pair = {one, other}
    return any(bool(pair & speaking_of) and bool(pair & forbidding) for speaking_of, forbidding in ANSWERS)


def speaking(laws: list[AnyLaw], shape: str, about: str) -> list[tuple[str, ...]]:
    """Laws that speak at once where all of them hold, so many that every two are among them whose premises can hold at
    once; where they can, and all laws can never hold then, those two.
    """
    path: Path[Any] = Path(Reading.UNBOUNDED, RLIMIT, [])
    args = arguments(path, shape, about)
    premises = path.during(lambda: {each.name: truth_term(speaks(each, args)) for each in laws})
    lawful = path.during(lambda: truth_term(every(holds(each, args) for each in laws)))
    path.solver.add(*path.facts.meaning({}))
    met, found = set[tuple[str, str]](), list[tuple[str, ...]]()
    for pair in combinations(premises, 2):
        if pair in met or apart(*pair):
            continue
        both = [premises[name] for name in pair]
        if path.found(*both, lawful) == z3.sat:
            model = path.model
            names = tuple(n for n, term in premises.items() if z3.is_true(model.eval(term, model_completion=True)))
            met |= set(combinations(names, 2))
            found.append(names)
        elif path.found(*both) != z3.unsat:
            found.append(pair)
    return found


def obligations() -> Iterator[Obligation[Claim]]:
    """The laws of each shape can be kept together."""
    made = [(shape, about) for shape in SHAPES for about in SCOPES] + [(LAYOUTS, "layout")]
    for shape, about in made:
        laws = laws_on(shape, about)
        if laws:
            many = f"{len(laws)} laws, each and each two of which speak"
            speak = many if len(laws) > 1 else "the only law, which speaks"
            scope = speak + (ALSO if about == OPERATIONS else "")
            scenario = Together(shape, about)
            yield Obligation(PART, shape, about, WORDS, scope, Reading.UNBOUNDED, scenario, as_stated, possible=True)
