"""The tables of the page on mutants: faults and the short traces that show them, and the correct allocators."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from heaplaw.spec.catalogue import law

from .cases import CORRECT_CASES, Case, all_cases
from .kills import Recorded

__all__ = ["BEGIN", "END", "tables", "with_tables"]

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
"""Between these two lines the page is written by `with_tables`."""


def tables(kills: Iterable[Recorded]) -> str:
    """Every mutant by kind, and every correct allocator, as Markdown; no figure in it depends on the machine."""
    kept = {kill.mutant: kill for kill in kills}
    cases = sorted(all_cases(), key=lambda case: (case.group, case.source.value))
    parts = [_counted(cases, kept), "## The faults"]
    for (group, source), those in groupby(cases, key=lambda case: (case.group, case.source)):
        parts += [f"### {group} ({source.value})", _faults(list(those), kept)]
    parts += ["## The correct allocators", _CORRECT, _correct()]
    return "\n\n".join(parts)


_CORRECT = (
    "They raise no alarm, whatever is unusual about them, unless their mapping promises what they lack: a pool that "
    'reuses the oldest block first is blamed where `reuse = "lifo"` is promised, and nowhere else.'
)


def _counted(cases: Sequence[Case], kept: dict[str, Recorded]) -> str:
    steps = sorted(len(kill.trace) for kill in kept.values())
    compiled = sum(case.source.value.startswith("C,") for case in cases)
    return (
        f"{len(cases)} mutants, {compiled} of them in C, and {len(CORRECT_CASES)} correct allocators. Of {len(steps)} "
        f"a short trace is kept: the median has {steps[len(steps) // 2]} steps, nine of ten have at most "
        f"{steps[9 * len(steps) // 10]}, the longest has {steps[-1]}."
    )


def _faults(cases: Sequence[Case], kept: dict[str, Recorded]) -> str:
    rows = ["| mutant | fault | made for | seen by | steps |", "|---|---|---|---|---|"]
    for case in cases:
        kill = kept.get(case.name)
        seen = (law(kill.law).id, str(len(kill.trace))) if kill else ("", "")
        rows.append(
            f"| `{case.name}` | {_plain(case.summary)} | {law(case.law).id} `{case.law}` | {' | '.join(seen)} |"
        )
    return "\n".join(rows)


def _correct() -> str:
    rows = ["| allocator | shape | what is unusual about it |", "|---|---|---|"]
    ordered = sorted(CORRECT_CASES, key=lambda case: (case.group, case.name))
    rows += [f"| `{case.name}` | {case.group} | {_plain(case.summary)} |" for case in ordered]
    return "\n".join(rows)


def _plain(text: str) -> str:
    """Text without the signs that mean something in a table."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("<", "\\<").replace("_", "\\_")


def with_tables(page: str, kills: Iterable[Recorded]) -> str:
    """The page with its tables as they are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables(kills)}\n\n{END}{after}"
