"""A stored witness as a program of its own: in C, or as a regression test for pytest."""

import json
from collections.abc import Iterator
from pathlib import Path

from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.heap import RUN_BLOCK_MAX
from heaplaw.spec.history import Op, block_align
from heaplaw.spec.shapes import MAKERS, Kind

from .store import Stored
from .subjects import UsageError

MOST_STATEMENTS = 2000
"""Longer traces make no readable program."""
_RUNTIME = r"""
static unsigned char *p[STEPS];   /* what step i was given; NULL: nothing, or no more */
static size_t extent[STEPS];      /* bytes that the owner may use */
static size_t covers[STEPS];      /* bytes that no other block may share */
static int filled[STEPS];         /* the step whose bytes stand in the block */
static int faults;

static void fault(int step, const char *what, size_t at) {
  printf("step %d: FAULT: %s %zu\n", step + 1, what, at);
  fflush(stdout);
  faults++;
}
static unsigned char byte_of(int step, size_t at) { return (unsigned char)(step * 37 + at * 11 + at / 251 + 1); }
static size_t written(size_t n) { return n <= 65536 ? n : 65536; }

/* The bytes that the owner wrote are still there, as far as `limit`. */
__attribute__((unused)) static void look(int step, int from, size_t limit, const char *what) {
  for (size_t k = 0; k < written(extent[from]) && k < limit; k++)
    if (p[from][k] != byte_of(filled[from], k)) { fault(step, what, k); return; }
}
/* Step `step` was given `block`: look at it, then write it full. */
static void take(int step, void *block, size_t size, size_t count, size_t align, int zero, int refused) {
  size_t n = count && size > (size_t)PTRDIFF_MAX / count ? 0 : size * count;
  printf("step %d: %p\n", step + 1, block);
  fflush(stdout);
  if (!block) {
    if (refused) fault(step, "refused, bytes asked for:", n);
    return;
  }
  if (count && size > (size_t)PTRDIFF_MAX / count) fault(step, "handed out, though too large: factor", count);
  if (align && (size_t)block % align) fault(step, "not aligned: address modulo alignment", (size_t)block % align);
  size_t whole = n ? n : 1;
USABLE  for (int i = 0; i < STEPS; i++)
    if (p[i] && i != step && (unsigned char *)block < p[i] + covers[i] && p[i] < (unsigned char *)block + whole)
      fault(step, "shares bytes with the block of step", (size_t)i + 1);
  p[step] = block, extent[step] = n, covers[step] = whole, filled[step] = step;
  for (size_t k = 0; zero && k < written(n); k++)
    if (p[step][k]) { fault(step, "not zero: byte", k); break; }
  for (size_t k = 0; k < written(n); k++) p[step][k] = byte_of(step, k);
}
/* A resize of the block of step `from` (-1: none) gave `block`. */
__attribute__((unused)) static void resized(int step, int from, void *block, size_t size, size_t align) {
  if (from >= 0 && block) {
    unsigned char *now = block;
    size_t old = extent[from], both = old < size ? old : size;
    for (size_t k = 0; k < written(both); k++)
      if (now[k] != byte_of(filled[from], k)) { fault(step, "a resize did not keep byte", k); break; }
    p[from] = NULL;
  } else if (from >= 0) {
    look(step, from, (size_t)-1, "a failed resize changed byte");
    p[step] = p[from], extent[step] = extent[from], covers[step] = covers[from], filled[step] = filled[from];
    p[from] = NULL;
    printf("step %d: (nil)\n", step + 1);
    fflush(stdout);
    return;
  }
  take(step, block, size, 1, align, 0, 0);
}
"""


def _literal(value: int) -> str:
    return f"{value}u" if value < 2**31 else f"{value:#x}u"


def _statement(index: int, op: Op, prefix: str, must: int, refused: bool) -> str:
    empty = op.slot in (NULL, NONE)
    old = "NULL" if empty else f"p[{op.slot}]"
    size, count, align = _literal(op.size), _literal(op.count), _literal(must)

    def take(call: str, zero: int = 0) -> str:
        return f"take({index}, {call}, {size}, {count}, {align}, {zero}, {int(refused)});"

    if op.kind == Kind.RESIZE:
        look = "" if empty else f'look({index}, {op.slot}, (size_t)-1, "damaged before: byte"); '
        return look + f"resized({index}, {-1 if empty else op.slot}, {prefix}realloc({old}, {size}), {size}, {align});"
    if op.kind == Kind.FREE:
        look = "" if empty else f'look({index}, {op.slot}, (size_t)-1, "damaged before: byte"); '
        return look + f"{prefix}free({old});" + ("" if empty else f" p[{op.slot}] = NULL;")
    return {
        Kind.ALLOC: take(f"{prefix}malloc({size})"),
        Kind.ZALLOC: take(f"{prefix}calloc({count}, {size})", zero=1),
        Kind.ALIGNED: take(f"{prefix}aligned_alloc({align}, {size})"),
        Kind.POSIX_ALIGNED: take(f"posix({align}, {size})"),
        Kind.CHECK: "" if empty else f'look({index}, {op.slot}, (size_t)-1, "damaged: byte");',
    }[op.kind]


def _statements(stored: Stored, prefix: str) -> Iterator[str]:
    """A line a step. An operation on an empty slot is left out, as it is in a run."""
    held: set[int] = set()
    guilty = max(stored.operations, default=-1)
    for index, op in enumerate(stored.trace.ops()):
        if op.kind not in MAKERS or op.kind == Kind.RESIZE:
            if op.slot != NULL and op.slot not in held:
                continue
            if op.kind != Kind.CHECK:
                held.discard(op.slot)
        if op.kind in MAKERS:
            held.add(index)
        refused = (index == guilty and stored.law == "failure_changes_nothing") or (
            stored.law == "reuse" and 1 <= op.size * op.count <= RUN_BLOCK_MAX
        )
        text = _statement(index, op, prefix, block_align(op, stored.trace.env), refused)
        guard = f"if (p[{op.slot}]) {{ {text} }}" if op.kind not in MAKERS and op.slot != NULL else text
        yield f"  {guard}"


def _declarations(prefix: str, usable: bool) -> str:
    lines = [
        f"void *{prefix}malloc(size_t), *{prefix}calloc(size_t, size_t), *{prefix}realloc(void *, size_t);",
        f"void *{prefix}aligned_alloc(size_t, size_t), {prefix}free(void *);",
        f"int {prefix}posix_memalign(void **, size_t, size_t);",
    ]
    lines = lines if prefix else []
    if usable:
        lines.append(f"size_t {prefix}malloc_usable_size(void *);")
    return "".join(f"{line}\n" for line in lines)


def _how_to_build(stored: Stored) -> str:
    """The commands, as a comment."""
    path, settings = stored.subject["path"], dict(stored.subject["environment"])
    before = "".join(f"{name}={value} " for name, value in settings.items())
    build, run = "cc -O0 -fno-builtin witness.c -o witness", f"{before}./witness"
    if path and stored.subject["prefix"]:
        build += f" {path} -Wl,-rpath,{Path(path).parent}"
    elif path:
        run = f"LD_PRELOAD={path} {run}"
    return f" *   {build}\n *   {run}\n"


def c_program(stored: Stored) -> str:
    """The trace as a C program to link against the allocator, or to run with it preloaded. It ends with 1 when it sees
    a fault; a crash or a hang shows by itself.
    """
    if stored.subject["kind"] != "native":
        raise UsageError(f"{stored.path}: the subject is no C library; use --emit pytest")
    if len(stored.trace) > MOST_STATEMENTS:
        raise UsageError(f"{stored.path}: {len(stored.trace):,} steps are too many for a C program; use --emit pytest")
    prefix = str(stored.subject["prefix"])
    usable = stored.law in ("usable_size_covers_request", "usable_sizes_disjoint")
    measure = (
        f"  size_t usable = {prefix}malloc_usable_size(block);\n"
        '  if (usable < n) fault(step, "usable bytes:", usable);\n'
        "  whole = usable > whole ? usable : whole;\n"
    )
    runtime = _RUNTIME.replace("USABLE", measure if usable else "")
    posix = (
        f"static void *posix(size_t align, size_t size) {{\n  void *out = NULL;\n"
        f"  return {prefix}posix_memalign(&out, align, size) ? NULL : out;\n}}\n\n"
        if any(op.kind == Kind.POSIX_ALIGNED for op in stored.trace.ops())
        else "\n"
    )
    body = "\n".join(_statements(stored, prefix))
    return (
        f"/* {stored.id}: {stored.document['sentence']}\n"
        f" * observed: {stored.observed}\n * required: {stored.required}\n *\n{_how_to_build(stored)} */\n"
        "#define _GNU_SOURCE\n#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n\n"
        f"#define STEPS {len(stored.trace)}\n{_declarations(prefix, usable)}{runtime}{posix}"
        f"int main(void) {{\n{body}\n"
        '  printf(faults ? "faults seen: %d\\n" : "no fault seen\\n", faults);\n  return faults != 0;\n}\n'
    )


def pytest_regression(stored: Stored) -> str:
    """The witness as a test that passes once the law holds."""
    text = json.dumps(dict(stored.document))
    return (
        f'"""{stored.id}: {stored.document["sentence"]}."""\n\n'
        "import json\nfrom pathlib import Path\n\n"
        "from heaplaw.replay import run_again\nfrom heaplaw.store import load\n\n"
        f"WITNESS = json.loads({text!r})\n\n\n"
        f"def test_{stored.law}__{stored.id.lower().replace('-', '_')}(tmp_path: Path) -> None:\n"
        '    path = tmp_path / "witness.json"\n    path.write_text(json.dumps(WITNESS))\n'
        "    lines, broken = run_again(load(path), times=3)\n"
        '    assert not broken, "\\n".join(lines)\n'
    )
