"""The steps of a trace, written in C."""

from collections.abc import Iterator

from heaplaw.plan import Plan
from heaplaw.spec.event import NULL
from heaplaw.spec.history import Op, Trace, block_align
from heaplaw.spec.shapes import ALIGN_TAKERS, MAKERS, TAKERS, Kind
from heaplaw.store import Stored
from heaplaw.wording import Names, Wording

from .judged import demands, guilty
from .spelling import Spelling, given, literal, served


def statements(stored: Stored, spelling: Spelling, wording: Wording) -> Iterator[str]:
    """The lines of every operation that can be called."""
    trace = stored.trace
    names, last = Names(trace), guilty(stored)[0]
    several = len({op.instance for op in trace.ops()}) > 1
    for index, op in enumerate(trace.ops()):
        if not possible(trace, spelling.plan, index, op):
            continue
        if index == last:
            yield "  /* Here the law is broken. */"
        yield f"  begin({index + 1}, {op.instance}, {quoted(wording.call(trace, index, names, several=several))});"
        yield from (f"  {line}" for line in step(stored, spelling, index, op))


def possible(trace: Trace, plan: Plan, index: int, op: Op) -> bool:
    """There is such a function, and the slot is one that may hold what the operation takes."""
    there = op.kind == Kind.CHECK or op.kind in plan.operations or (op.kind == Kind.RENEW and plan.destroy is not None)
    if not there or op.instance >= plan.instances:
        return False
    if op.kind == Kind.RELEASE:
        return op.slot < index and trace.op(op.slot).kind == Kind.MARK
    if op.kind in TAKERS and (op.slot != NULL or op.kind == Kind.CHECK):
        return op.slot < index and trace.op(op.slot).kind in MAKERS
    return True


def step(stored: Stored, spelling: Spelling, index: int, op: Op) -> list[str]:
    """What one operation does."""
    slot = 0 if op.slot == NULL else op.slot + 1
    if op.kind == Kind.CHECK:
        return [f"if (look({slot})) after();"]
    made = spelling.plan.destroy if op.kind == Kind.RENEW else spelling.plan.operations[op.kind]
    assert made is not None
    call = f"value = {spelling.call(made, spelling.words_of(index, op))};"
    ok, result = served(made, op.kind in MAKERS), given(made)
    must = f"{literal(alignment(stored.trace, op))}, {demands(stored, index, op)}"
    match op.kind:
        case Kind.RENEW:
            return ["look_since(1);", call, "if (!renewed()) return told();"]
        case Kind.RESIZE:
            return guarded(slot, [call, f"resized({slot}, {ok}, {result}, {literal(op.size)}, {must});"])
        case Kind.FREE:
            return guarded(slot, [call, f"freed({slot}, {ok});"])
        case Kind.POP:
            body = ["check(newest());", call, f"popped({ok});"]
            named = "ptr" in made.arguments  # without a block there is nothing to name, and it is not called
            return ["if (newest()->kind == BLOCK) {", *(f"  {line}" for line in body), "}"] if named else body
        case Kind.RESET:
            return ["look_since(1);", call, f"swept(1, {ok});"]
        case Kind.RELEASE:
            body = [f"look_since({slot});", call, f"swept({slot}, {ok});"]
            return [f"if (marked_at({slot})) {{", *(f"  {line}" for line in body), "}"]
        case Kind.MARK:
            return [call, f"marked({'1' if made.returns == 'pointer' else ok}, {result});"]
        case _:
            return [call, f"took({ok}, {result}, {literal(op.size)}, {literal(op.count)}, {must});"]


def guarded(slot: int, body: list[str]) -> list[str]:
    """The lines, if step `slot` holds a block; 0 is the null pointer."""
    return [f"if (look({slot})) {{", *(f"  {line}" for line in body), "}"] if slot else body


def alignment(trace: Trace, op: Op) -> int:
    """The alignment that the block must have, bytes: none, where it holds no object and is told no alignment."""
    plain = op.kind not in ALIGN_TAKERS and not trace.env.align_by_size
    return 1 if plain and op.size * op.count == 0 else block_align(op, trace.env)


def quoted(text: str) -> str:
    """Text as a literal in C."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
