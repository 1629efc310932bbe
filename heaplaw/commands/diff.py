"""`heaplaw diff`: what changed between two versions of an allocator."""

import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from heaplaw import __version__
from heaplaw.console import (
    BROKEN,
    COLOURS,
    HOLDS,
    UNDECIDED,
    Number,
    Output,
    complain,
    echo,
    progressing,
    warn,
)
from heaplaw.spec.shapes import SHAPES

if TYPE_CHECKING:
    from heaplaw.difference import Difference, LawChange
    from heaplaw.subjects import ProcessSubject


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--prefix", default="", help="What stands before malloc, free, … in a library, like je_.")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="The interface of Python objects.")
@click.option("--operations", "-n", type=click.IntRange(1, 50_000_000), help="Operations of the main run of each.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Repeat a run; drawn, and printed, if left out.")
@click.option("--block-size", type=click.IntRange(1, 2**20), help="For pools' constructors in Python, bytes.")
@click.option("--num-blocks", type=click.IntRange(1, 2**20), help="For pools' constructors in Python.")
@click.option("--capacity", type=click.IntRange(1, 2**32), help="For other constructors in Python, bytes.")
@click.option("--memory", type=Number(0.1, 4096), default=16.0, help="Address space of a run, GiB.")
@click.option("--cpu", type=Number(0.1, 3600), default=5.0, help="CPU seconds that one operation may take.")
@click.option("--seconds", type=Number(0, 3600), default=20.0, show_default=True, help="For minimising each law.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("heaplaw-out"), help="Where traces are kept.")
@click.option("--strict", is_flag=True, help="Exit with 1 also where behaviour alone changed.")
@click.option("--color", type=click.Choice(COLOURS), default="auto", help="Colours: on terminals, always, never.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as docs/json.md tells.")
def command(
    old: str,
    new: str,
    prefix: str,
    shape: str | None,
    operations: int | None,
    seed: int | None,
    block_size: int | None,
    num_blocks: int | None,
    capacity: int | None,
    memory: float,
    cpu: float,
    seconds: float,
    output: Path,
    strict: bool,
    color: str,
    as_json: bool,
) -> None:
    """Tell what changed from the allocator OLD to NEW: laws first, then behaviour that no law decides.

    OLD and NEW: whatever `heaplaw check` takes, of one shape; options are for those that take them. Both
    are judged by the same traces. Each change comes with the shortest steps that show it, run on both.

    Exit code 1 when a law is violated that was not, 3 when one is no longer decided, else 0; with --strict 1 also when
    only behaviour changed.
    """
    from heaplaw.difference import compare
    from heaplaw.spec.protocols import Limits
    from heaplaw.store import check_folder

    check_folder(output)
    given = {"block_size": block_size, "num_blocks": num_blocks, "capacity": capacity}
    pair = both((old, new), prefix, shape, {name: value for name, value in given.items() if value is not None})
    seed = secrets.randbelow(10**8) if seed is None else seed
    limits = Limits(cpu=cpu, wall=4 * cpu, memory=int(memory * 2**30))
    try:
        with progressing("diff") as told:
            found = compare(*pair, seed, operations, limits, seconds, told.says)
    finally:
        for subject in pair:
            subject.close()
    found.laws = [replace(change, path=kept(change, found, output)) for change in found.laws]
    code = exit_code(found, strict)
    if as_json:
        from heaplaw.difference.document import document
        from heaplaw.schemas import text

        echo([text(document(found, code))])
    else:
        from heaplaw.difference.text import lines

        face = Output.standard(color)
        face.tell(lines(found, face.page, __version__))
    sys.exit(code)


def both(
    names: tuple[str, str], prefix: str, shape: str | None, arguments: dict[str, int]
) -> "tuple[ProcessSubject, ProcessSubject]":
    """The two subjects; what is wrong with either is told, before anything is run."""
    from heaplaw.errors import UsageError
    from heaplaw.mapping import MappingError

    found: list[ProcessSubject] = []
    errors: list[Exception] = []
    for_all = not any(map(is_library, names)), not any(map(is_object, names))  # then it is told what is wrong with it
    for name in names:
        before = prefix if for_all[0] or is_library(name) else ""
        interface, constants = (shape, arguments) if for_all[1] or is_object(name) else (None, {})
        try:
            found.append(one(name, before, interface, constants))
        except (UsageError, MappingError) as error:
            errors += [] if str(error) in map(str, errors) else [error]
    if errors:
        for subject in found:
            subject.close()
        for wrong in errors[:-1]:
            complain(wrong)
        raise errors[-1]
    return found[0], found[1]


def is_library(name: str) -> bool:
    """It is a library that --prefix is for."""
    return not name.endswith(".toml") and ("/" in name or ".so" in name)


def is_object(name: str) -> bool:
    """It is a Python object that --shape is for."""
    return "/" not in name and ":" in name and not name.startswith(("mutant:", "ref:"))


def one(name: str, prefix: str, shape: str | None, arguments: dict[str, int]) -> "ProcessSubject":
    """The subject that a name stands for; UsageError where it stands for several."""
    from heaplaw.errors import UsageError
    from heaplaw.subjects import resolve

    subjects = resolve(name, prefix, shape, arguments)
    if len(subjects) > 1:
        for subject in subjects:
            subject.close()
        raise UsageError(
            f"{name}: stands for {len(subjects)} allocators; one is compared with one, so name one of them"
        )
    return subjects[0]


def kept(change: "LawChange", found: "Difference", output: Path) -> Path | None:
    """Where the witness of a change is stored; None where it has none, or cannot be stored, which is told."""
    from heaplaw.errors import UsageError
    from heaplaw.store import document_of, save

    if change.witness is None:
        return None
    subject = found.old if change.side == "old" else found.new
    try:
        return save(output, document_of(change.witness, subject.spec, subject.identity, found.seed))
    except UsageError as error:
        warn(str(error))
        return None


def exit_code(found: "Difference", strict: bool) -> int:
    """1 where a law is newly broken, or anything changed that --strict counts; 3 where one is no longer decided."""
    from heaplaw.difference import Grade

    if found.of(Grade.WORSE) or (strict and found.behaves_differently):
        return BROKEN
    return UNDECIDED if found.of(Grade.UNDECIDED) else HOLDS
