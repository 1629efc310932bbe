"""How a stored witness's library was called, and how a program comes to it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from heaplaw.errors import UsageError
from heaplaw.plan import STANDARD, Plan, standard_plan
from heaplaw.spec.shapes import CALLS
from heaplaw.store import Stored
from heaplaw.wording import Wording

BUILT_IN = frozenset({*CALLS.values(), "malloc_usable_size"})
"""Functions that compilers know with other types than words; the C library has all of them."""


@dataclass(frozen=True)
class Deployed:
    """How a library is called, and how a program comes to it."""

    plan: Plan
    wording: Wording
    library: str | None
    """None: the C library."""
    preload: bool
    source: str | None
    """The file that is compiled in its place."""
    environment: Mapping[str, str]

    def commands(self) -> list[str]:
        """How the program in `witness.c` is built and run."""
        functions = set(self.plan.functions)
        plain = " -fno-builtin" if BUILT_IN & functions else ""
        run = "".join(f"{name}={shlex.quote(value)} " for name, value in self.environment.items()) + "./witness"
        if self.source:
            compiler = "cc" if self.source.endswith(".c") else "c++"
            return [f"{compiler} -O2 -g{plain} {shlex.quote(self.source)} witness.c -o witness", run]
        build = f"cc -O0{plain} witness.c -o witness"
        if self.library and not (self.preload and functions <= BUILT_IN):
            folder = shlex.quote(str(Path(self.library).parent))
            build += f" {shlex.quote(self.library)} -Wl,-rpath,{folder}"
        if self.library and self.preload:
            run = f"LD_PRELOAD={shlex.quote(self.library)} {run}"
        return [build, run]


def deployed(stored: Stored) -> Deployed:
    """How the witness's library was called; UsageError where there is none, or the witness does not say."""
    subject, calls = stored.subject, stored.calls
    if "python" in calls or subject["kind"] in ("object", "cpython"):
        raise UsageError(f"{stored.path}: the subject is no C library; use --emit pytest")
    if not calls:
        return _of_before(stored)
    plan = Plan.read(calls["plan"])
    return Deployed(
        plan,
        Wording(plan, calls["instance"] or "instance") if "instance" in calls else Wording(),
        calls["library"],
        bool(calls["preload"]),
        calls.get("source"),
        dict(calls.get("environment", subject.get("environment", {}))),
    )


def _of_before(stored: Stored) -> Deployed:
    """The same for a witness of before calls were kept: a library has malloc's interface, behind a prefix."""
    subject = stored.subject
    if subject["kind"] != "native":
        raise UsageError(f"{stored.path}: it does not say how the subject was called; check the subject again")
    prefix, library = str(subject["prefix"]), subject["path"]
    symbols = {made.function: prefix + made.function for made in STANDARD.values()}
    if stored.law in ("usable_size_covers_request", "usable_sizes_disjoint"):
        symbols["usable_size"] = prefix + "malloc_usable_size"
    preload = library is not None and not prefix
    return Deployed(standard_plan(symbols), Wording(), library, preload, None, dict(subject["environment"]))
