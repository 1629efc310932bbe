"""`heaplaw matrix`: what evidence stands behind each law."""

import sys
from typing import TYPE_CHECKING

import click

from heaplaw.console import BROKEN, HARNESS, HOLDS, INTERRUPTED, UNDECIDED, Output, echo, found, progressing
from heaplaw.spec.shapes import SHAPES

if TYPE_CHECKING:
    from heaplaw.matrix import Matrix
    from heaplaw.spec.law import AnyLaw
    from heaplaw.subjects import ProcessSubject

NAMES = ("prove", "confirm", "explore", "machine", "check", "mutants", "all")


@click.command("matrix")
@click.argument("names", nargs=-1, metavar="[LAW|SUBJECT]...")
@click.option(
    "--run", "engines", multiple=True, type=click.Choice(NAMES), help="Ask this engine; may be given several times."
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="For machines and runs.")
@click.option("--operations", "-n", type=click.IntRange(1, 50_000_000), help="Of a subject's main run.")
@click.option("--prefix", default="", help="What stands before malloc, free, … in a library, like je_.")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="The interface of a Python object.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(
    names: tuple[str, ...],
    engines: tuple[str, ...],
    seed: int,
    operations: int | None,
    prefix: str,
    shape: str | None,
    as_json: bool,
) -> None:
    """What evidence stands behind each law: proofs, contracts, exploration, machines, runs, and mutants killed.

    Without --run it lists what each engine can be asked, and decides nothing. LAW (HL103, blocks_disjoint): that law
    alone, whole. SUBJECT (glibc, ref:pool, ./libmine.so, …): it is checked, and gets a column of its own.

    Of a minute or less: prove, confirm, explore, machine; check and mutants take minutes. Exit code 1 when something
    is refuted, violated or survives, 3 when something was not decided.
    """
    from heaplaw.matrix import listed

    laws, subjects = divided(names)
    started: list[ProcessSubject] = found(subjects, prefix, shape, {}) if subjects else []
    try:
        matrix = decided(listed(laws), engines, started, seed, operations)
    finally:
        for subject in started:
            subject.close()
    shown(matrix, bool(laws), as_json)
    sys.exit(INTERRUPTED if matrix.interrupted else exit_code(matrix))


def divided(names: tuple[str, ...]) -> "tuple[list[AnyLaw], list[str]]":
    """Laws, and names of subjects. What looks like a law, and is neither, is an error."""
    import difflib
    import re

    from heaplaw.errors import UsageError
    from heaplaw.explaining.names import known_laws, meant
    from heaplaw.spec.catalogue import CATALOGUE, law
    from heaplaw.subjects import listing

    laws: list[AnyLaw] = []
    others: list[str] = []
    for name in dict.fromkeys(names):
        try:
            laws.append(law(name))
        except KeyError:
            if re.fullmatch(r"(?i)hl\d+", name):
                raise UsageError(
                    f"{name}: no such law{meant(name, known_laws())} (`heaplaw laws` lists them)"
                ) from None
            close = difflib.get_close_matches(name, CATALOGUE, 1, 0.8)
            if close and name not in listing.names():
                raise UsageError(f"{name}: no such law; did you mean {close[0]}?") from None
            others.append(name)
    return laws, others


def decided(
    matrix: "Matrix",
    engines: tuple[str, ...],
    subjects: "list[ProcessSubject]",
    seed: int,
    operations: int | None,
) -> "Matrix":
    """Everything that is asked for; at an interrupt, what was decided until then."""
    from dataclasses import replace

    from heaplaw.matrix import ENGINES, run
    from heaplaw.matrix.running import with_subjects

    wanted = [*ENGINES] if "all" in engines else [engine for engine in ENGINES if engine in engines]
    matrix = replace(matrix, seed=seed)
    try:
        with progressing("matrix") as told:
            for step in with_subjects(matrix, subjects, operations, told.says):
                matrix = step
            for step in run(matrix, wanted, told.says):
                matrix = step
    except KeyboardInterrupt:
        left = [engine for engine in wanted if engine not in matrix.ran]
        checks = [subject.identity for subject in subjects[len(matrix.subjects) :]]
        return replace(matrix, interrupted=", ".join([*checks, *left]))
    return matrix


def shown(matrix: "Matrix", single: bool, as_json: bool) -> None:
    """Print it."""
    from heaplaw import schemas
    from heaplaw.matrix.text import closing, document, lines, whole
    from heaplaw.terminal.marked import Marked

    if as_json:
        echo([schemas.text(document(matrix))])
        return
    output = Output.standard()
    if not single:
        output.tell(lines(matrix, output.page))
        return
    output.tell([line for law in matrix.laws for line in (*whole(matrix, law, output.page), Marked(""))])
    output.tell([*closing(matrix)])


def exit_code(matrix: "Matrix") -> int:
    """1 wins over 4 over 3."""
    from heaplaw.matrix import items

    outcomes = matrix.outcomes
    if outcomes & items.BROKEN or matrix.faults:
        return BROKEN
    if items.HARNESS in outcomes:
        return HARNESS
    return UNDECIDED if outcomes & items.UNDECIDED else HOLDS
