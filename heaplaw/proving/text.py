"""What `heaplaw prove` prints: a line for each obligation, counterexamples, and what stands behind one of them."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from heaplaw.models.explore import Witness
from heaplaw.spec.catalogue import CATALOGUE

from .campaign import NOT_WRAPPING, Line
from .parts import CONTRACTS, PARTS, Target

__all__ = ["closing", "explained", "found_of", "heading", "idle_lines", "listed", "refutation", "row"]

WIDTH = 116
INDUCTION = (
    "a counterexample to induction: the state satisfies {what}, and the step breaks the claim there. Whether "
    "operations lead to such a state is another question: either the step is wrong, or the invariant says too little"
)
WHOLE = {True: "the invariant", False: "those instances of the invariant that the proof uses"}
BEHIND = (
    "z3 (or CrossHair) itself; the executor, which runs the step's own code on symbolic values and is tested against "
    "concrete runs; the statements of the laws"
)


def heading(target: Target, part: str) -> str:
    """What comes before a part's lines."""
    if target.kind == "own":
        return f"{target.name}, as a {part}"
    title = f"{part}: {PARTS[part].title}"
    return f"{title}, with the fault {target.name}" if target.kind == "mutant" else title


def found_of(said: Iterable[str]) -> Iterator[str]:
    """What was found of a user's steps."""
    for text in said:
        yield from textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="    ")


def row(line: Line, told: str = "") -> str:
    """One obligation: the outcome, its name, the law, the number reading, what it is proved for, and the seconds; what
    went wrong, unless that was `told` last.
    """
    word = line.outcome if line.shown or line.outcome != "refuted" else "REFUTED"
    why = "as above" if line.why and line.why == told else line.why
    rest = line.scope if line.shown or not line.why else why
    return f"  {word:<9} {line.name:<46} {line.law:<5} {line.reading:<12} {line.seconds:6.2f} s  {rest}"


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"    {label:<12}", subsequent_indent=" " * 16) or []


def _count(operations: int) -> str:
    return f"{operations} operation{'s' * (operations != 1)}"


def refutation(line: Line, reached: Witness | str | None = None, first: bool = True) -> Iterator[str]:
    """A counterexample: what the law says, what it saw, the integers; of the first also what that means."""
    law = f"{line.law} " if line.law else ""
    yield f"{law}{line.name} REFUTED ({line.reading}): {line.statement}"
    if line.part == CONTRACTS:
        yield from _wrapped("CrossHair", line.why)
        return
    yield from _wrapped("observed", line.observed)
    yield from _wrapped("required", line.required)
    shown = (f"{name} = {value:#x}" if value > 4096 else f"{name} = {value}" for name, value in line.values)
    yield from _wrapped("where", ", ".join(shown))
    run = "integers that wrap at 64 bits" if line.reading == "wrapping" else "integers"
    if first:
        yield from _wrapped("replayed", f"the same step and the same claim, run on these {run}, show it again")
        yield from _wrapped("this is", INDUCTION.format(what=WHOLE[line.whole]))
    if isinstance(reached, str):
        yield from _wrapped("reached", reached)
    elif reached is not None:
        from heaplaw.picture import heap_text
        from heaplaw.steps import steps_text

        history, broken = reached.history, reached.violations[0]
        law = f"{CATALOGUE[broken.law].id} {broken.law}"
        which = "" if broken.law == line.about else " (the law that is seen broken first)"
        yield from _wrapped("reached", f"{law} is broken by {_count(len(history))} from a fresh one{which}")
        yield from ("", *steps_text(history, broken.operations, broken.law))
        yield from ("", *heap_text(history, broken.operations), f"    required  {broken.required}")


def listed(part: str, lines: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """The obligations of a part: name, law, statement. Nothing is decided."""
    yield f"{part}: {PARTS[part].title}" if part in PARTS else part
    for name, law, statement in lines:
        number = CATALOGUE[law].id if law in CATALOGUE else ""
        yield f"  {name:<46} {number:<5}  {statement}"


def explained(lines: Sequence[Line]) -> Iterator[str]:
    """One obligation, whole: the statement, what is assumed, which of it the proof used, what is trusted."""
    first = lines[0]
    law = CATALOGUE.get(first.about)
    yield first.name
    yield from _wrapped("states", first.statement)
    if law is not None:
        yield from _wrapped("law", f"{law.id} {law.name}, as it stands in the catalogue, by its own code; {law.source}")
    yield from _wrapped("for", first.scope)
    for line in lines:
        detail = f"; {line.why}" if line.why else ""
        ways = f", {line.paths} path{'s' * (line.paths != 1)} through the step" if line.paths else ""
        yield from _wrapped(line.reading, f"{line.outcome} in {line.seconds:.2f} s{ways}{detail}")
    hypotheses = dict.fromkeys(label for line in lines for label in line.hypotheses)
    for label in hypotheses:
        readings = [line.reading for line in lines if label in line.used]
        use = f"used ({' and '.join(readings)})" if readings else "not used by this proof"
        yield from _wrapped("assumes", f"{label}: {use}" if any(line.shown for line in lines) else label)
    for trusted in (*first.trusted, BEHIND):
        yield from _wrapped("trusts", trusted)
    if any(line.reading == NOT_WRAPPING for line in lines):
        yield from _wrapped("note", "CrossHair's integers do not wrap, and sizes are bounded where the scope says so")
    for line in lines:
        if line.outcome == "refuted":
            yield from ("", *refutation(line))


def idle_lines(idle: dict[str, list[str]]) -> Iterator[str]:
    """Hypotheses that no proof uses: an error, since what is not needed must not be assumed."""
    for part, labels in idle.items():
        for label in labels:
            yield f"error: {part}: no proof uses the hypothesis: {label}"


def closing(lines: Sequence[Line], planned: int, seconds: float, jobs: int) -> str:
    """One line that can be searched for."""
    count = Counter(line.outcome for line in lines)
    known = ("proved", "confirmed", "refuted", "unknown", "error")
    words = ", ".join(f"{count[name]} {name}" for name in known if count[name]) or "none decided"
    whole = f"{len(lines)} obligation{'s' * (len(lines) != 1)}"
    total = whole if len(lines) == planned else f"INCOMPLETE: {len(lines)} of {planned} obligations"
    return f"SUMMARY: heaplaw prove: {total}: {words}; {seconds:.0f} s, {jobs} at a time"
