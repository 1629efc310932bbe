"""The reference allocators as subjects, by name: `ref:stack`."""

from typing import Any

from heaplaw.references.table import REFERENCES
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import SHAPES

from .base import ProcessSubject, UsageError, worker_command

PREFIX = "ref:"


def reference_subject(name: str, package: str = "") -> ProcessSubject:
    """The reference allocator `name`; UsageError when there is none.

    `package`: where the reference implementation is imported from; a faulty one may stand in.
    """
    if name not in REFERENCES:
        import difflib

        close = difflib.get_close_matches(name, REFERENCES, 3) or list(REFERENCES)
        raise UsageError(f"{PREFIX}{name}: no such reference allocator; there are {', '.join(close)}")
    reference = REFERENCES[name]
    plan = reference.plan
    environment = {"HEAPLAW_REFERENCE": package} if package else {}
    called = "heap" if reference.shape in ("malloc", "freelist") else reference.shape
    calls = {"instance": called, "environment": environment, "python": reference.module}
    spec: dict[str, Any] = {"kind": "reference", "name": name, "package": package, "calls": calls}
    huge = {"huge sizes"} if reference.env.max_request > PTRDIFF_MAX else set[str]()
    command = worker_command({"kind": "python", "module": reference.module, "plan": plan.document()}, environment)
    subject = ProcessSubject(
        f"{PREFIX}{name}" + (f" of {package}" if package else ""),
        SHAPES[reference.shape],
        plan.offers | reference.promises | huge,
        command,
        spec,
        "python",
        reference.env,
        notes=(reference.what,),
        operations=reference.operations_run,
        name=f"{PREFIX}{name}",
        plan=plan,
    )
    subject.host(4096)
    return subject
