"""A survey as lines for a page: tables one below the other, then what is known of the deviations in them."""

from collections.abc import Sequence
from textwrap import wrap

from heaplaw.terminal.marked import Marked, Role, mark
from heaplaw.terminal.page import PLAIN, Page

from .facts import Survey, Surveyed

__all__ = ["FEET", "lines", "news", "summary"]

START = 35
"""Columns before the cells."""
UNDER = 7
ROLES = {"VIOLATED": Role.BROKEN, "holds": Role.HELD, "-": Role.DIM, "?": Role.UNDECIDED, "error": Role.UNDECIDED}
FEET = (
    "holds  no counterexample found in this run",
    "a, b, …  a violation that its mapping expects; what it is stands below",
    "-  the law does not apply: it needs what is absent or not promised",
)
"""What cells mean, beside those that speak for themselves."""


def lines(found: Survey, page: Page = PLAIN, version: str = "") -> list[Marked]:
    """All of it."""
    told = [mark(f"heaplaw {version}   {_asked(found)}", Role.STRONG), Marked("")]
    for one in found.allocators:
        told += _allocator(one, page)
    for group in found.groups():
        told += [Marked(""), *_table(found, group, page)]
    told.append(Marked(""))
    told += [line for foot in FEET for line in _below(foot, 0, page, 2)]
    for deviation in found.deviations():
        law = deviation.law
        head = f"{deviation.letter:<4} {law['id']}  {law['name']}: {', '.join(deviation.names)}"
        told += [Marked(""), *(Marked(part) for part in wrap(head, page.columns, subsequent_indent=" " * UNDER))]
        for text in (deviation.reason, *deviation.clauses, *deviation.issues):
            told += _below(text, UNDER, page)
    for text in news(found):
        told += [Marked(""), *(mark(part, Role.BROKEN) for part in wrap(text, page.columns))]
    seen = found.seen()
    told += [Marked(""), mark("where standards differ: what was seen", Role.STRONG)] if seen else []
    last = ""
    for answered in seen:
        law = answered.law
        if law["id"] != last:
            told += [Marked(""), Marked(f"  {law['id']}  {law['name']}")]
            last = law["id"]
        head = f"{', '.join(answered.names)}: {'; '.join(answered.answers)}"
        told += [Marked(" " * UNDER + part) for part in wrap(head, page.columns - UNDER)]
        told += _below(answered.verdict, UNDER + 2, page)
    return [*told, Marked(""), mark(summary(found), Role.STRONG)]


def news(found: Survey) -> list[str]:
    """What makes a survey fail: violations that no mapping expects, and expected ones that did not come."""
    asked = f"--seed {found.seed}" + (f" -n {found.operations}" if found.operations else "")
    out_of_date = "no violation came, though one is expected; remove the [[expect]]"
    told: list[str] = []
    for one in found.checked:
        broken = [law["id"] for law in one.laws.values() if law["outcome"] == "violated"]
        told += (
            [f"{one.name}: {', '.join(broken)}: `heaplaw check {one.name} {asked}` shows the steps"] if broken else []
        )
        told += [f"{one.name}: {law['id']}: {out_of_date} ({law['reason']})" for law in one.gone]
    return told


def summary(found: Survey) -> str:
    """One line that can be searched for."""
    outcomes = [law["outcome"] for one in found.checked for law in one.laws.values()]
    counts = f"{outcomes.count('violated')} violated, {outcomes.count('expected')} as expected"
    absent = f", {len(found.absent)} not installed" if found.absent else ""
    return f"SUMMARY: heaplaw survey: {len(found.checked)} checked{absent}; {counts}"


def _asked(found: Survey) -> str:
    return f"seed {found.seed}" + (f"   {found.operations:,} operations each" if found.operations else "")


def _allocator(one: Surveyed, page: Page) -> list[Marked]:
    """What was checked, in which version, by which dialects; or why not."""
    parts = [one.identity, *filter(None, [one.installed])] if one.report else []
    parts += [f"dialects {', '.join(one.dialects)}"] if one.dialects else []
    parts += [f"{one.report['operations']:,} operations"] if one.report else [f"not installed: {one.absent}"]
    head, *more = wrap("; ".join(parts), page.columns - 25, break_long_words=False, break_on_hyphens=False)
    return [Marked(f"{one.name:<24} ") + mark(head, Role.DIM), *(" " * 25 + mark(part, Role.DIM) for part in more)]


def _table(found: Survey, group: Sequence[Surveyed], page: Page) -> list[Marked]:
    wide = max(8, *(len(one.name) for one in group)) + 2
    most = max(1, (page.columns - START) // wide)
    told: list[Marked] = []
    for start in range(0, len(group), most):
        part = list(group[start : start + most])
        told.append(mark(" " * START + "".join(f"{one.name:<{wide}}" for one in part), Role.STRONG).rstrip())
        for law, cells in found.rows(part):
            line = Marked(f"{law['id']}  {law['name']:<28}")
            for cell in cells:
                line = line + mark(cell, ROLES.get(cell, Role.UNDECIDED)) + " " * (wide - len(cell))
            told.append(line.rstrip())
        told.append(Marked(""))
    return told[:-1]


def _below(text: str, start: int, page: Page, more: int = 0) -> list[Marked]:
    parts = wrap(
        text, page.columns - start, subsequent_indent=" " * more, break_long_words=False, break_on_hyphens=False
    )
    return [" " * start + mark(part, Role.DIM) for part in parts]
