"""The reference allocators as subjects, by name: `ref:stack`."""

from typing import Any

from heaplaw.errors import UsageError
from heaplaw.spec.layout import PTRDIFF_MAX
from heaplaw.spec.shapes import SHAPES

from .base import ProcessSubject, worker_command

PREFIX = "ref:"


def reference_subject(name: str, package: str = "", known_as: str = "") -> ProcessSubject:
    """The reference allocator `name`; UsageError when there is none.

    `package`: where the reference implementation is imported from; a faulty one may stand in. `known_as`: what it is
    called then.
    """
    from heaplaw.references.table import REFERENCES

    if name not in REFERENCES:
        import difflib

        close = difflib.get_close_matches(name.lower(), REFERENCES, 3)
        listed = f"similar: {', '.join(close)}" if close else f"there are {', '.join(REFERENCES)}"
        raise UsageError(f"{PREFIX}{name}: no such reference allocator; {listed}")
    reference = REFERENCES[name]
    plan = reference.plan
    environment = {"HEAPLAW_REFERENCE": package} if package else {}
    called = "heap" if reference.shape in ("malloc", "freelist") else reference.shape
    calls = {"instance": called, "environment": environment, "python": reference.module}
    spec: dict[str, Any] = {"kind": "reference", "name": name, "package": package, "calls": calls}
    spec |= {"known_as": known_as} if known_as else {}
    huge = {"huge sizes"} if reference.env.max_request > PTRDIFF_MAX else set[str]()
    command = worker_command({"kind": "python", "module": reference.module, "plan": plan.document()}, environment)
    subject = ProcessSubject(
        known_as or f"{PREFIX}{name}" + (f" of {package}" if package else ""),
        SHAPES[reference.shape],
        plan.offers | reference.promises | huge,
        command,
        spec,
        "python",
        reference.env,
        notes=(reference.what,),
        operations=reference.operations_run,
        name=known_as or f"{PREFIX}{name}",
        plan=plan,
    )
    subject.host(4096)
    return subject
