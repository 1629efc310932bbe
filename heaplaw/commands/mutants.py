"""`heaplaw mutants`: allocators with a seeded fault against the laws; their kills recorded, and run again."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heaplaw.console import BROKEN, HOLDS, INTERRUPTED, UNDECIDED, echo, progressing

if TYPE_CHECKING:
    from heaplaw.killmatrix.kills import Again

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("mutants")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--record", "into", type=FOLDER, help="Keep the short traces of mutants in C in this folder.")
@click.option("--replay", "kept", type=FOLDER, help="Run the kills of this folder again; nothing else is run.")
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
def command(as_json: bool, into: Path | None, kept: Path | None, groups: tuple[str, ...]) -> None:
    """The kill matrix: every allocator with a seeded fault against the laws, and which engine saw the fault.

    GROUP: a kind of allocator (stack, pool, malloc, …), or one mutant's name; all when none is named. Exit code 1 when
    a mutant survives, or when a law has no mutant, or kills none that was made for it. Takes minutes for all.

    --replay takes seconds: each recorded trace must break its law again, and no law on the correct allocator that the
    mutant is made of.
    """
    from heaplaw.errors import UsageError

    if into and kept:
        raise UsageError("--record and --replay: say one of them")
    if kept:
        replayed(kept, groups, as_json)
    else:
        built(into, groups, as_json)


def built(into: Path | None, groups: tuple[str, ...], as_json: bool) -> None:
    """The matrix; with a folder, what was found in mutants in C is kept there."""
    from heaplaw.errors import UsageError
    from heaplaw.killmatrix.engines import run
    from heaplaw.killmatrix.kills import record
    from heaplaw.killmatrix.matrix import build, chosen
    from heaplaw.killmatrix.text import document, lines
    from heaplaw.schemas import envelope, text

    cases = [case for case in chosen(groups) if case.traced or not into]
    if not cases:
        raise UsageError(f"--record: {', '.join(groups)}: no mutant in C; kills of those alone are kept")
    with progressing("mutants") as told:
        matrix = build(cases, run, whole=not groups and not into, progress=told.says)
    echo([text(envelope("mutants", document(matrix)))] if as_json else lines(matrix))
    if into:
        kept = record(into, matrix.rows)
        click.echo(f"{kept} kill{'s' * (kept != 1)} kept in {into}", err=True)
    if matrix.unseen:
        sys.exit(INTERRUPTED)
    sys.exit(BROKEN if not matrix.sound else UNDECIDED if matrix.left_out else HOLDS)


def replayed(folder: Path, groups: tuple[str, ...], as_json: bool) -> None:
    """The recorded kills, run again."""
    from heaplaw.errors import UsageError
    from heaplaw.killmatrix.kills import again, load
    from heaplaw.killmatrix.matrix import chosen
    from heaplaw.killmatrix.text import again_document, again_lines
    from heaplaw.schemas import envelope, text

    wanted = {group: {case.name for case in chosen([group])} for group in groups}
    kept = load(folder)
    if not kept:
        raise UsageError(f"{folder}: it holds no kill; heaplaw mutants --record {folder} writes them there")
    for group, names in wanted.items():
        if not any(kill.mutant in names for kill in kept):
            raise UsageError(
                f"{folder}: it holds no kill of {group}; heaplaw mutants {group} --record {folder} adds them"
            )
    kills = [kill for kill in kept if not groups or any(kill.mutant in names for names in wanted.values())]
    found: list[Again] = []
    with progressing("recorded kills") as told:
        for each in again(kills):
            told.says(f"{len(found) + 1} of {len(kills)}: {each.kill.mutant}")
            found.append(each)
    echo([text(envelope("kills", again_document(found)))] if as_json else again_lines(found))
    sys.exit(HOLDS if all(each.sound for each in found) else BROKEN)
