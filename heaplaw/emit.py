"""A stored witness as a program of its own: in C, or as a regression test for pytest."""

import json

from heaplaw.spec.event import NONE, NULL
from heaplaw.spec.history import Op
from heaplaw.spec.shapes import Kind

from .store import Stored
from .subjects import UsageError


def _literal(value: int) -> str:
    return f"{value}u" if value < 2**31 else f"{value:#x}u"


def _statement(index: int, op: Op, prefix: str) -> list[str]:
    slot = "NULL" if op.slot == NULL else "NULL /* empty */" if op.slot == NONE else f"p[{op.slot}]"
    size, count = _literal(op.size), _literal(op.count)
    calls = {
        Kind.ALLOC: f"p[{index}] = {prefix}malloc({size});",
        Kind.ZALLOC: f"p[{index}] = {prefix}calloc({count}, {size});",
        Kind.RESIZE: f"p[{index}] = {prefix}realloc({slot}, {size});",
        Kind.ALIGNED: f"p[{index}] = {prefix}aligned_alloc({_literal(op.align)}, {size});",
        Kind.POSIX_ALIGNED: f"if ({prefix}posix_memalign(&p[{index}], {_literal(op.align)}, {size})) p[{index}] = NULL;",
        Kind.FREE: f"{prefix}free({slot});",
        Kind.CHECK: f"/* read {slot} back: its bytes should be as they were written */",
    }
    lines = [calls[op.kind]]
    if op.kind in (Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED):
        extent = op.size * op.count
        lines.append(f'printf("{index + 1}: %p\\n", p[{index}]);')
        if extent <= 65536:
            lines.append(f"if (p[{index}]) memset(p[{index}], {index % 255 + 1}, {extent});")
        if op.kind == Kind.RESIZE:
            lines.append(f"if (!p[{index}]) p[{index}] = {slot};")
    return lines


def c_program(stored: Stored) -> str:
    """The trace as a C program to compile and link against the allocator (or to run with it preloaded)."""
    if stored.subject["kind"] != "native":
        raise UsageError(f"{stored.path}: the subject is no C library; use --emit pytest")
    prefix = str(stored.subject["prefix"])
    ops = stored.trace.ops()
    declared = "".join(
        f"{line}\n"
        for line in (
            f"void *{prefix}malloc(size_t), *{prefix}calloc(size_t, size_t), *{prefix}realloc(void *, size_t);",
            f"void *{prefix}aligned_alloc(size_t, size_t), {prefix}free(void *);",
            f"int {prefix}posix_memalign(void **, size_t, size_t);",
        )
    )
    body = "\n".join(f"  {line}" for i, op in enumerate(ops) for line in _statement(i, op, prefix))
    return (
        f"/* {stored.id}: {stored.document['sentence']}\n"
        f" * observed: {stored.observed}\n * required: {stored.required}\n */\n"
        "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\n"
        + (declared + "\n" if prefix else "")
        + f"int main(void) {{\n  void *p[{len(ops)}] = {{0}};\n{body}\n  return 0;\n}}\n"
    )


def pytest_regression(stored: Stored) -> str:
    """The witness as a test that passes once the law holds."""
    text = json.dumps(dict(stored.document))
    name = stored.law
    return (
        f'"""{stored.id}: {stored.document["sentence"]}."""\n\n'
        "import json\nfrom pathlib import Path\n\nfrom heaplaw.replay import run_again\nfrom heaplaw.store import load\n\n"
        f"WITNESS = json.loads({text!r})\n\n\n"
        f"def test_{name}__{stored.id.lower().replace('-', '_')}(tmp_path: Path) -> None:\n"
        '    path = tmp_path / "witness.json"\n    path.write_text(json.dumps(WITNESS))\n'
        "    lines, broken = run_again(load(path), times=3)\n"
        '    assert not broken, "\\n".join(lines)\n'
    )
