"""The command line: a thin face. The library never prints and never exits; this does."""

import os
import secrets
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import __version__, interrupts
from .interrupts import held

if TYPE_CHECKING:
    from .check import Report
    from .minimise import Witness
    from .subjects import ProcessSubject

HOLDS, BROKEN, USAGE, UNDECIDED, HARNESS, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes: all hold; violated; usage; nothing decided; heaplaw's own error; interrupted."""


def echo(lines: Sequence[str]) -> None:
    """Print results. A reader who has left (`| head`) changes neither what is done nor the exit code."""
    try:
        click.echo("\n".join(lines))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(text: str) -> None:
    """One line about what could not be done."""
    click.echo(f"error: {text}", err=True)


def progress(text: str) -> None:
    """Tell what is being done, on a terminal only: logs stay quiet."""
    if sys.stderr.isatty():
        click.echo(f"  … {text}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="heaplaw")
def cli() -> None:
    """The law for memory managers: judge an allocator by laws, and see the shortest program that breaks one.

    Exit codes: 0 all hold, 1 violated, 2 usage, 3 undecided, 4 heaplaw's own error, 130 interrupted.
    """


@cli.command()
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@click.option("--prefix", default="", help="What stands before malloc, free, … in a library, like je_.")
@click.option("--shape", type=click.Choice(["malloc", "pool"]), help="The interface of a Python object.")
@click.option(
    "--operations",
    "-n",
    type=click.IntRange(1, 50_000_000),
    help="Operations of the main run; a shorter steady one follows.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Repeat a run; drawn, and printed, if left out.")
@click.option("--profile", type=click.Choice(["mixed", "uniform"]), default="mixed", help="How traces are drawn.")
@click.option("--block-size", type=click.IntRange(1, 2**20), help="For a pool's constructor, bytes.")
@click.option("--num-blocks", type=click.IntRange(1, 2**20), help="For a pool's constructor.")
@click.option("--boundary-share", type=click.FloatRange(0, 0.5), default=0.02, help="Part of the run near its limits.")
@click.option("--memory", type=click.FloatRange(0.1, 4096), default=16.0, help="Address space of a run, GiB.")
@click.option("--cpu", type=click.FloatRange(0.1, 3600), default=5.0, help="CPU seconds that one operation may take.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("heaplaw-out"), help="Where traces are kept.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3600),
    default=20.0,
    show_default=True,
    help="Time limit for minimising each law.",
)
def check(
    subjects: tuple[str, ...],
    prefix: str,
    shape: str | None,
    operations: int | None,
    seed: int | None,
    profile: str,
    block_size: int | None,
    num_blocks: int | None,
    boundary_share: float,
    memory: float,
    cpu: float,
    output: Path,
    seconds: float,
) -> None:
    """Judge SUBJECTs: the C library's malloc when none is named.

    SUBJECT: glibc, cpython (pymem_raw, pymem, pyobject), a path to a shared library, package.module:Thing with --shape,
    or mutant:NAME (an allocator with a seeded fault, to see what a violation looks like).
    """
    from heaplaw.spec.protocols import Limits

    from .check import check as run
    from .store import check_folder

    check_folder(output)
    limits = Limits(cpu=cpu, wall=4 * cpu, memory=int(memory * 2**30))
    seed = secrets.randbelow(10**8) if seed is None else seed
    given = {"block_size": block_size, "num_blocks": num_blocks}
    arguments = {name: value for name, value in given.items() if value is not None}
    worst = HOLDS
    for place, subject in enumerate(found(subjects or ("glibc",), prefix, shape, arguments)):
        if place:
            echo([""])
        try:
            report = run(subject, seed, operations, limits, profile, seconds, boundary_share, progress)
            with held():
                worst = combine(worst, show(report, output))
        finally:
            subject.close()
        if report.interrupted:
            saved = f"; what was found is in {output}/" if report.witnesses else ""
            click.echo(f"interrupted after {report.operations:,} operations{saved}", err=True)
            sys.exit(INTERRUPTED)
    sys.exit(worst)


def found(names: Sequence[str], prefix: str, shape: str | None, arguments: dict[str, int]) -> "list[ProcessSubject]":
    """All subjects, started; when one of them cannot be had, every such error is told, and nothing is run."""
    from .subjects import UsageError, resolve

    subjects: list[ProcessSubject] = []
    errors: list[str] = []
    for name in names:
        try:
            subjects += resolve(name, prefix, shape, arguments)
        except UsageError as error:
            errors.append(str(error))
    if not errors:
        return subjects
    for subject in subjects:
        subject.close()
    for text in errors[:-1]:
        warn(text)
    raise UsageError(errors[-1])


def show(report: "Report", output: Path) -> int:
    """Keep a report's witnesses and print it; the exit code that it asks for."""
    from heaplaw.spec.verdict import Holds, Unknown, Violated

    from .report import closing, failure, header, summary, table

    first, *rest = header(report)
    echo([f"heaplaw {__version__}   {first}", *rest, "", *table(report.verdicts), ""])
    for group in causes(report.witnesses):
        paths = [keep(witness, report, output) for witness in group]
        echo([*failure(group[0], paths[0], [w.law for w in group[1:]]), *said(report, group[0]), ""])
    decided = any(isinstance(verdict.outcome, Holds) for verdict in report.verdicts)
    note = [] if report.witnesses or not decided else ["holds = no counterexample found in this run"]
    echo([*closing(report), *note, summary(report)])
    outcomes = [type(verdict.outcome) for verdict in report.verdicts]
    return BROKEN if Violated in outcomes else UNDECIDED if Unknown in outcomes else HOLDS


def causes(witnesses: "Sequence[Witness]") -> "list[list[Witness]]":
    """Witnesses, those of the same steps together."""
    groups: dict[tuple[Any, ...], list[Witness]] = {}
    for witness in witnesses:
        trace = witness.trace
        steps = tuple(trace.op(index) for index in range(min(len(trace), 200)))
        groups.setdefault((len(trace), steps), []).append(witness)
    return list(groups.values())


def keep(witness: "Witness", report: "Report", output: Path) -> Path | None:
    """Store a witness: where, or None when that fails, which is told; what was found is shown in any case."""
    from .store import document_of, save
    from .subjects import UsageError

    try:
        return save(output, document_of(witness, report.subject.spec, report.subject.identity, report.seed))
    except UsageError as error:
        warn(str(error))
        return None


def said(report: "Report", witness: "Witness") -> list[str]:
    """What a Python object answered instead of a block, in its own words."""
    from heaplaw.spec.event import Status

    from .minimise import LIMITS

    at = max(witness.violation.operations, default=-1)
    odd = at >= 0 and witness.history.columns["status"][at] in (Status.WRONG, Status.DIED)
    if report.subject.spec["kind"] != "object" or not odd or not witness.runs or report.interrupted:
        return []
    report.subject.close()
    report.subject.run(witness.trace, LIMITS)
    words = report.subject.host(0).last_words()
    return [f"    said      {words}"] if words else []


def combine(a: int, b: int) -> int:
    """The exit code for both: violated wins over heaplaw's own error, that over undecided."""
    return next((code for code in (BROKEN, HARNESS, UNDECIDED) if code in (a, b)), HOLDS)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--times", type=click.IntRange(1, 1000), default=3, help="How often to run it.")
@click.option(
    "--emit", type=click.Choice(["c", "pytest"]), help="Print a program that shows the same, and run nothing."
)
def replay(file: Path, times: int, emit: str | None) -> None:
    """Run a stored trace again and show what it does. Exit code 1 when the law is broken again, 0 when it holds now."""
    from .emit import c_program, pytest_regression
    from .replay import run_again
    from .store import load

    stored = load(file)
    if emit is not None:
        click.echo(c_program(stored) if emit == "c" else pytest_regression(stored))
        return
    lines, broken = run_again(stored, times)
    echo(lines)
    sys.exit(BROKEN if broken else HOLDS)


@cli.command()
@click.argument("names", nargs=-1, metavar="[LAW]...")
def laws(names: tuple[str, ...]) -> None:
    """The catalogue of laws, from the code; or single laws (HL103, blocks_disjoint), whole."""
    from .laws import catalogue_text, law_text

    if not names:
        echo(catalogue_text())
    for name in names:
        echo(law_text(name))


@cli.command()
def prove() -> None:
    """Prove the laws of the reference pool's own steps, with z3 and CrossHair, and the judges' lemma.

    Exit code 0 only if everything is proved.
    """
    from .engines import Engine

    engine = Engine()
    for text in engine.prove():
        click.echo(text)
    finish(engine.broken, engine.undecided)


@cli.command()
@click.option("--block-size", type=click.IntRange(1, 4096), default=24, show_default=True, help="Bytes a block.")
@click.option("--num-blocks", type=click.IntRange(1, 8), default=5, show_default=True, help="Blocks in the pool.")
def explore(block_size: int, num_blocks: int) -> None:
    """Visit every state of a small reference pool, and judge every law on every transition."""
    from .engines import Engine

    engine = Engine()
    for text in engine.explore(block_size, num_blocks):
        click.echo(text)
    finish(engine.broken, engine.undecided)


def finish(broken: int, undecided: int) -> None:
    """One line that can be searched for, and the exit code."""
    click.echo(f"SUMMARY: heaplaw: {broken} broken, {undecided} undecided")
    sys.exit(BROKEN if broken else UNDECIDED if undecided else HOLDS)


@cli.command()
@click.option("--quick", is_flag=True, help="Fewer rounds and operations: a look, not a measurement.")
@click.argument("parts", nargs=-1, type=click.Choice(["replay", "scaling", "mutants"]))
def bench(quick: bool, parts: tuple[str, ...]) -> None:
    """Measure, side by side in one run: checked against raw replay, cost and memory by length, mutants found."""
    from .bench import run

    for line in run(parts or ("replay", "scaling", "mutants"), quick):
        click.echo(line)


def main(arguments: list[str] | None = None) -> None:
    """The entry point: bad input gives one line and exit code 2, never a traceback."""
    from .calls import SubjectError
    from .host import HostError
    from .subjects.base import UsageError

    command: Callable[..., Any] = cli.main
    interrupts.install()
    try:
        command(arguments, prog_name="heaplaw", standalone_mode=False)
    except click.UsageError as error:
        hint = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
        warn(" ".join(error.format_message().split()) + hint)
        sys.exit(USAGE)
    except click.ClickException as error:
        warn(error.format_message())
        sys.exit(USAGE)
    except (UsageError, SubjectError) as error:
        warn(str(error))
        sys.exit(USAGE)
    except HostError as error:
        warn(str(error))
        sys.exit(HARNESS)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing had been found yet", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(HARNESS)
    except OSError as error:
        warn(f"{error.filename or 'the output'}: {error.strerror}")
        sys.exit(USAGE)
    except Exception as error:
        if os.environ.get("HEAPLAW_TRACEBACK"):
            raise
        warn(
            f"heaplaw itself failed: {type(error).__name__}: {error} (this is a fault of heaplaw's, please report it; "
            "HEAPLAW_TRACEBACK=1 shows where)"
        )
        sys.exit(HARNESS)


if __name__ == "__main__":
    main()
