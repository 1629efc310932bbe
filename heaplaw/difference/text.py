"""A comparison as lines with roles, for a page."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from textwrap import wrap

from heaplaw.spec.catalogue import law
from heaplaw.spec.verdict import Error, Holds, NotApplicable, Unknown, Verdict, Violated
from heaplaw.subjects import Expected, NativeCode
from heaplaw.terminal import facts
from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page
from heaplaw.terminal.verdicts import folded, labelled, packed

from .columns import behaviour_rows, side_by_side, witness_rows
from .parts import NEW, OLD, Behaviour, Difference, Grade, LawChange

BEFORE: dict[type[object], str] = {Holds: "held"}

"""What an outcome is called where it is no longer so; others keep their word."""
FEW = 3
"""Steps up to which it is told for which sizes of each the law is broken; `heaplaw replay` tells it of others."""
ROLES = {
    Grade.WORSE: Role.BROKEN,
    Grade.BETTER: Role.HELD,
    Grade.CHANCE: Role.UNDECIDED,
    Grade.UNDECIDED: Role.UNDECIDED,
}


def lines(found: Difference, page: Page = PLAIN, version: str = "") -> list[Marked]:
    """The whole comparison."""
    return list(_parts(found, page, version))


def _parts(found: Difference, page: Page, version: str) -> Iterator[Marked]:
    yield from header(found, page, version)
    yield Marked("")
    yield from overview(found, page)
    yield Marked("")
    told: set[str] = set()
    for change in found.laws:
        if change.witness is not None and change.law not in told:
            same = [other for other in found.laws if shares_steps(change, other)]
            told |= {other.law for other in same}
            yield from law_change(change, same, found, page)
            yield Marked("")
    for behaviour in found.behaviours:
        yield from behaviour_change(behaviour, found, page)
        yield Marked("")
    if found.footprint is not None:
        yield from footprint_change(found, page)
        yield Marked("")
    yield from closing(found, page)
    yield summary(found)


def header(found: Difference, page: Page, version: str) -> list[Marked]:
    """What is compared, and how far the two can be."""
    old, new = found.old, found.new
    first = [f"heaplaw {version}"] if version else []
    result = packed([*first, "diff", f"shape {old.shape.name}", f"seed {found.seed}"], page)
    for side, subject in ((OLD, old), (NEW, new)):
        result += folded(side, [subject.identity, *driver(found, side)], page)
    for each in found.apart:
        if each.what in ("operations", "counters", "promises", "facts", "expected violations"):
            word = {"facts": "otherwise", "expected violations": "expects"}.get(each.what, each.what)
            for side, names in ((OLD, each.old), (NEW, each.new)):
                result += folded("", f"{word}, of the {side} alone: {names}".split(), page) if names else []
        else:
            result += folded("", f"{each.what}: {each.old} -> {each.new}".split(), page)
    if not found.same_traces:
        text = "the two take other operations or sizes: their runs were drawn by the same seed, and differ"
        result += folded("note", text.split(), page)
    return result


def driver(found: Difference, side: str) -> list[str]:
    """What runs a side, where the two differ in that."""
    old, new = found.old.driver, found.new.driver
    ours = old if side == OLD else new
    return [f"(driver in {'C' if ours == NativeCode else 'Python'})"] if old != new else []


def overview(found: Difference, page: Page) -> list[Marked]:
    """The changes of laws in a line each, and what did not change."""
    result: list[Marked] = []
    for change in found.laws:
        start = Marked(f"  {law(change.law).id}  {change.law:<27} ")
        word = mark(words(change), ROLES.get(change.grade))
        result += [start + word] if len(start) + len(word) <= page.columns else [start.rstrip(), " " * 9 + word]
        result += [mark(" " * 9 + text, Role.DIM) for text in wrap(remark(change), page.columns - 9)]
    outcomes: dict[type[object], str] = {**facts.WORDS, Holds: "hold", Violated: "violated"}
    same = [f"{len(found.as_before(kind))} {said}" for kind, said in outcomes.items() if found.as_before(kind)]
    result += folded("laws", f"as before: {', '.join(same) if same else 'none'}".split(), page)
    if known := found.as_before(Violated):
        names = ", ".join(f"{law(name).id} {name}" for name in known)
        result += folded("", f"violated on both: {names}".split(), page)
    return result


def words(change: LawChange) -> str:
    """The two verdicts."""
    before, after = word(change.old, change.known[0]), word(change.new, change.known[1])
    return f"{BEFORE.get(type(change.old.outcome), before)} -> {after}"


def word(verdict: Verdict, known: Expected | None) -> str:
    """A verdict in a word; a violation that the mapping knows is expected."""
    broken = isinstance(verdict.outcome, Violated)
    return "violated, as expected" if broken and known else facts.WORDS[type(verdict.outcome)]


def remark(change: LawChange) -> str:
    """Why there is no verdict, or what the change is not."""
    if change.grade is Grade.CHANCE:
        failed, other = change.other.failed, OLD if change.side == NEW else NEW
        return f"chance: the {other} breaks it too on these steps, {failed} of {change.other.runs} times"
    texts: list[str] = []
    for side, verdict in ((OLD, change.old), (NEW, change.new)):
        if isinstance(verdict.outcome, Unknown | NotApplicable | Error):
            texts.append(f"{side}: {verdict.outcome.why}")
    known = change.known[1]
    texts += [f"expected: {known.reason}"] if known and isinstance(change.new.outcome, Violated) else []
    return "; ".join(texts)


def shares_steps(change: LawChange, other: LawChange) -> bool:
    """Both are told by the same steps, of the same side."""
    a, b = change.witness, other.witness
    if a is None or b is None or change.side != other.side or change.grade is not other.grade:
        return False
    return len(a.trace) == len(b.trace) and a.trace.ops() == b.trace.ops()


def law_change(change: LawChange, same: Sequence[LawChange], found: Difference, page: Page) -> Iterator[Marked]:
    """A law that one side breaks: the steps on both, and what to type next."""
    witness, stated = change.witness, law(change.law)
    assert witness is not None
    violation = replace(witness.violation, observed=facts.observed_text(witness))
    head = f"{stated.id} {stated.name}  {words(change)}: {violation.observed}"
    role = ROLES.get(change.grade, Role.STRONG)
    yield from (mark(text, role) for text in wrap(head, page.columns, subsequent_indent=" " * 4))
    yield Marked("")
    yield from side_by_side(witness_rows(change, found.old, found.new), page)
    yield Marked("")
    rows = [("law", stated.sentence), ("source", stated.source), ("required", violation.required)]
    rows += [("size", text) for text in facts.sizes_text(witness)] if len(witness.trace) <= FEW else []
    others = [each for each in same if each.law != change.law]
    rows += [("also", f"{law(each.law).id} {each.law}  {words(each)}, on the same steps") for each in others]
    rows += [("found", facts.found_text(witness))]
    rows += [(OLD if change.side == NEW else NEW, replay_words(change))]
    rows += [("again", f"heaplaw replay {change.path}")] if change.path is not None else []
    rows += [("why", f"heaplaw explain {stated.id}")]
    for name, text in rows:
        yield from labelled(name, text, page)


def replay_words(change: LawChange) -> str:
    """What the other side does on the steps."""
    other = change.other
    if not other.runs:
        return f"not judged on these steps: {other.why}"
    if not other.failed:
        return f"does not break it on these steps, {other.runs} of {other.runs} times"
    return f"breaks it too on these steps, {other.failed} of {other.runs} times: the difference was chance"


def behaviour_change(found: Behaviour, whole: Difference, page: Page) -> Iterator[Marked]:
    """A behaviour that changed: what it was and is, the steps on both, and for which sizes."""
    before, after = (", ".join(side[found.at]) for side in found.answers)
    head = f"{found.probe.title}: {before} -> {after}"
    yield from (mark(text, Role.STRONG) for text in wrap(head, page.columns, subsequent_indent=" " * 4))
    yield Marked("")
    yield from side_by_side(behaviour_rows(found, whole.old, whole.new), page)
    rows = [("differs", found.since)] if found.since else []
    rows += [("also", each) for each in found.also]
    if rows:
        yield Marked("")
    for name, text in rows:
        yield from labelled(name, text, page)


def footprint_change(found: Difference, page: Page) -> Iterator[Marked]:
    """Memory that a steady workload takes."""
    told = found.footprint
    assert told is not None
    kib = [f"{size // 1024:,} KiB" for size in (told.old, told.new)]
    yield mark(f"the footprint of a steady workload: {kib[0]} -> {kib[1]}", Role.STRONG)
    text = f"pages that {told.operations:,} operations covered, of which {told.peak // 1024:,} KiB were live at most"
    yield from labelled("of", text, page)


def closing(found: Difference, page: Page) -> Iterator[Marked]:
    """What was compared, and what could not be."""
    text = f"{found.operations:,} operations in the main run of each, {found.probes} probes, {found.seconds:.1f} s"
    yield from (Marked(line) for line in wrap(text, page.columns))
    if found.unsteady:
        text = f"not compared, since one of the two answers differently from run to run: {'; '.join(found.unsteady)}"
        yield from (Marked(line) for line in wrap(text, page.columns, subsequent_indent="  "))


def summary(found: Difference) -> Marked:
    """One line that can be searched for: the gravest first."""
    start = f"SUMMARY: heaplaw diff: {found.old.identity} -> {found.new.identity}: "
    parts: list[str] = []
    if worse := found.of(Grade.WORSE):
        parts.append("now VIOLATED " + ", ".join(f"{law(each.law).id} {each.law}" for each in worse))
    labels = {Grade.BETTER: "now holds", Grade.CHANCE: "violated by both", Grade.UNDECIDED: "no longer decided"}
    for grade, text in labels.items():
        if each := found.of(grade):
            parts.append(f"{text} {', '.join(law(change.law).id for change in each)}")
    if other := found.of(Grade.OTHER):
        parts.append(f"{len(other)} law{'s' * (len(other) != 1)} otherwise")
    if number := found.behaves_differently:
        parts.append(f"{number} behaviour{'s' * (number != 1)} changed")
    if not parts:
        parts.append("no difference" if found.none else "no difference but in what is offered and promised")
    undecided = found.of(Grade.UNDECIDED) or found.of(Grade.CHANCE)
    role = Role.BROKEN if found.of(Grade.WORSE) else Role.UNDECIDED if undecided else Role.HELD
    return start + mark("; ".join(parts), role)
