"""The steps of a trace, written in C."""

from collections.abc import Iterator

from heaplaw.plan import Plan
from heaplaw.spec.event import ERRNO_BEFORE, NULL, Policy
from heaplaw.spec.history import Op, Trace, block_align
from heaplaw.spec.shapes import ALIGN_TAKERS, FUNCTION_OF, MAKERS, PROBES, TAKERS, Kind, Misuse
from heaplaw.store import Stored
from heaplaw.wording import Names, Wording

from .judged import allowed, demands, expected, guilty, null_allowed, required_align
from .spelling import Spelling, given, literal, served

NAMING = (Kind.RESIZE_TO_ZERO, Kind.MISFREE, Kind.FILL_USABLE)
"""What scenes alone have that is about a block."""
EXPECTED = {
    Policy.ABORT: "the process ends itself",
    Policy.IGNORE: "it returns, and nothing has changed",
    Policy.ERROR: "it is refused",
}
"""What is promised of a misuse, in words."""


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
    kind = FUNCTION_OF.get(op.kind, op.kind)
    if op.kind == Kind.FILL_USABLE:
        there = "usable_size" in plan.counters
    else:
        there = op.kind == Kind.CHECK or kind in plan.operations or (op.kind == Kind.RENEW and plan.destroy is not None)
    if not there or op.instance >= plan.instances:
        return False
    if op.kind == Kind.RELEASE:
        return op.slot < index and trace.op(op.slot).kind == Kind.MARK
    if op.kind == Kind.MISFREE and op.size not in tuple(Misuse):
        return False
    if op.kind in NAMING and not (op.kind == Kind.MISFREE and op.size == Misuse.FOREIGN):
        return op.slot < index and trace.op(op.slot).kind in MAKERS
    if op.kind in TAKERS and (op.slot != NULL or op.kind == Kind.CHECK):
        return op.slot < index and trace.op(op.slot).kind in MAKERS
    return True


def step(stored: Stored, spelling: Spelling, index: int, op: Op) -> list[str]:
    """What one operation does."""
    slot = 0 if op.slot == NULL else op.slot + 1
    if op.kind == Kind.CHECK:
        return [f"if (look({slot})) after();"]
    if op.kind in PROBES:
        return probe(stored, spelling, index, op)
    made = spelling.plan.destroy if op.kind == Kind.RENEW else spelling.plan.operations[op.kind]
    assert made is not None
    call = f"value = {spelling.call(made, spelling.words_of(index, op))};"
    ok, result = served(made, op.kind in MAKERS), given(made)
    align = required_align(stored, index, op) or alignment(stored.trace, op)
    must = f"{literal(align)}, {demands(stored, index, op)}"
    match op.kind:
        case Kind.RENEW:
            return ["look_since(1);", call, "if (!renewed()) return told();"]
        case Kind.RESIZE:
            return guarded(slot, [call, f"resized({slot}, {ok}, {result}, {literal(op.size)}, {must});"])
        case Kind.FREE:
            asks = stored.law == "free_keeps_errno" and index == guilty(stored)[0]
            body = [f"errno = {ERRNO_BEFORE};", call, f"errno_kept({ERRNO_BEFORE});"] if asks else [call]
            return guarded(slot, [*body, f"freed({slot}, {ok});"])
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
            body = [call, f"took({ok}, {result}, {literal(op.size)}, {literal(op.count)}, {must});"]
            return with_sentinel(stored, index, op, body)


def probe(stored: Stored, spelling: Spelling, index: int, op: Op) -> list[str]:
    """What an operation does that scenes alone have."""
    slot = 0 if op.slot == NULL else op.slot + 1
    if op.kind == Kind.FILL_USABLE:
        usable = spelling.call(spelling.plan.counters["usable_size"], spelling.words_of(index, op))
        return guarded(slot, [f"value = {usable};", f"fill_usable({slot}, value);"])
    kind = FUNCTION_OF[op.kind]
    made = spelling.plan.operations[kind]
    call = f"value = {spelling.call(made, spelling.words_of(index, op))};"
    ok, result = served(made, kind in MAKERS), given(made)
    if op.kind == Kind.MISFREE:
        promised = expected(stored, index, op)
        body = [call, f"misused({ok}, {promised.name if promised else 0});"]
        if promised:
            body = [f'printf("  expected: {EXPECTED[promised]}\\n");', *body]
        if promised is Policy.ABORT:
            body = ["let_it_end();", *body]
        if op.size == Misuse.DOUBLE:
            return [f"if (freed_at({slot})->at) {{", *(f"  {line}" for line in body), "}"]
        return guarded(0 if op.size == Misuse.FOREIGN else slot, body)
    error = "(int)value" if made.returns in ("status", "errno") else "errno"
    told = [call, f"answered({ok}, {result}, {error}, {allowed(stored, index, op)});"]
    if op.kind == Kind.RESIZE_TO_ZERO:
        return guarded(slot, [*told, f"held({slot})->kind = NOTHING;"])
    return with_sentinel(stored, index, op, told)


def with_sentinel(stored: Stored, index: int, op: Op, body: list[str]) -> list[str]:
    """The lines, with a look at what stands where `&out` points, where the law that is broken is about that."""
    if stored.law != "out_pointer_kept" or index != guilty(stored)[0]:
        return body
    call, *rest = body
    return ["out = SENTINEL;", call, f"out_kept({int(null_allowed(stored, op))});", *rest]


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
