"""The command line: a thin face. The library never prints and never exits; this does."""

import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from heaplaw.spec.shapes import SHAPES

from . import __version__, interrupts
from .commands.cost import command as cost_command
from .commands.diff import command as diff_command
from .commands.doctor import command as doctor_command
from .commands.explain import command as explain_command
from .commands.matrix import command as matrix_command
from .commands.mutants import command as mutants_command
from .commands.survey import command as survey_command
from .console import (
    BROKEN,
    COLOURS,
    HARNESS,
    HOLDS,
    INTERRUPTED,
    UNDECIDED,
    USAGE,
    Number,
    Output,
    Verdicts,
    complain,
    echo,
    found,
    progress,
    progressing,
    warn,
)
from .defaults import Configured
from .interrupts import held

if TYPE_CHECKING:
    from collections.abc import Callable

    from .search import Searching
    from .store import Stored

BENCHES = ("replay", "shapes", "scaling", "mutants", "generators", "reference")
"""What `bench` measures …"""
LONG = ("generators",)
"""… and what of it only when it is named: it takes half an hour."""


@click.group(cls=Configured, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="heaplaw")
def cli() -> None:
    """The law for memory managers: judge an allocator by laws, and see the shortest program that breaks one.

    Exit codes: 0 all hold, 1 violated, 2 usage, 3 undecided, 4 heaplaw's own error, 130 interrupted.
    """


@cli.command()
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@click.option("--prefix", default="", help="What stands before malloc, free, … in a library, like je_.")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="The interface of a Python object.")
@click.option(
    "--operations",
    "-n",
    type=click.IntRange(1, 50_000_000),
    help="Operations of the main run; a steady one of some thousand follows where memory is given back.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Repeat a run; drawn, and printed, if left out.")
@click.option("--profile", type=click.Choice(["mixed", "uniform"]), default="mixed", help="How traces are drawn.")
@click.option("--dialect", "dialects", multiple=True, metavar="NAME", help="Judge by C11, C17, C23, POSIX, … instead.")
@click.option(
    "--search",
    type=click.IntRange(0, 1_000_000_000),
    default=0,
    help="Operations of a search that follows, for what the subject has not been seen to do.",
)
@click.option("--corpus", type=click.Path(path_type=Path), help="A folder that keeps what a search found new.")
@click.option("--block-size", type=click.IntRange(1, 2**20), help="For a pool's constructor, bytes.")
@click.option("--num-blocks", type=click.IntRange(1, 2**20), help="For a pool's constructor.")
@click.option("--capacity", type=click.IntRange(1, 2**32), help="For the constructor of other shapes, bytes.")
@click.option("--boundary-share", type=Number(0, 0.5), default=0.02, help="Part of the run near its limits.")
@click.option("--memory", type=Number(0.1, 4096), default=16.0, help="Address space of a run, GiB.")
@click.option("--cpu", type=Number(0.1, 3600), default=5.0, help="CPU seconds that one operation may take.")
@click.option("--output", type=click.Path(path_type=Path), default=Path("heaplaw-out"), help="Where traces are kept.")
@click.option(
    "--seconds",
    type=Number(0, 3600),
    default=20.0,
    show_default=True,
    help="Time limit for minimising each law.",
)
@click.option("--color", type=click.Choice(COLOURS), default="auto", help="Colours: on terminals, always, never.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as docs/json.md tells.")
def check(
    subjects: tuple[str, ...],
    prefix: str,
    shape: str | None,
    operations: int | None,
    seed: int | None,
    profile: str,
    dialects: tuple[str, ...],
    search: int,
    corpus: Path | None,
    block_size: int | None,
    num_blocks: int | None,
    capacity: int | None,
    boundary_share: float,
    memory: float,
    cpu: float,
    output: Path,
    seconds: float,
    color: str,
    as_json: bool,
) -> None:
    """Judge SUBJECTs: the C library's malloc when none is named. Several give a table, a column a subject.

    SUBJECT: a mapping (mine.toml, or a name that `heaplaw subjects` lists), cpython (pymem_raw, pymem, pyobject), a
    path to a shared library, package.module:Thing with --shape, ref:NAME (a reference allocator), or mutant:NAME (an
    allocator with a seeded fault, to see what a violation looks like).
    """
    from heaplaw.spec.protocols import Limits

    from .check import check as run
    from .store import check_folder
    from .subjects.promises import dialects_named

    check_folder(output)
    in_force = dialects_named(dialects, "--dialect")
    if corpus is not None and not search:
        raise click.UsageError("--corpus: it keeps what a search finds; say how long with --search OPERATIONS")
    limits = Limits(cpu=cpu, wall=4 * cpu, memory=int(memory * 2**30))
    seed = secrets.randbelow(10**8) if seed is None else seed
    given = {"block_size": block_size, "num_blocks": num_blocks, "capacity": capacity}
    arguments = {name: value for name, value in given.items() if value is not None}
    faces = Verdicts(output, Output.standard(color), as_json)
    chosen = found(subjects or ("glibc",), prefix, shape, arguments)
    for subject in chosen:
        subject.env = replace(subject.env, dialects=in_force) if dialects else subject.env
        searching = searching_of(search, corpus)
        try:
            with progressing(subject.identity) as told:
                report = run(
                    subject,
                    seed,
                    operations,
                    limits,
                    profile,
                    seconds,
                    boundary_share,
                    told.says,
                    told.counts,
                    searching,
                )
                with held():  # what was found is told, whenever an interrupt comes
                    told.stop()
                    faces.take(report, len(chosen))
                    for line in searching.lines() if searching else ():
                        click.echo(line, err=True)
        finally:
            subject.close()
        if report.interrupted:
            faces.close(INTERRUPTED)
            saved = f"; what was found is in {output}/" if report.witnesses else ""
            click.echo(f"interrupted after {report.operations:,} operations{saved}", err=True)
            sys.exit(INTERRUPTED)
    faces.close(faces.code)
    sys.exit(faces.code)


def searching_of(operations: int, corpus: Path | None) -> "Searching | None":
    """The search that is asked for, if one is."""
    if not operations:
        return None
    from .search import Searching

    return Searching(operations, corpus)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--times", type=click.IntRange(1, 1000), default=3, help="How often to run each.")
@click.option(
    "--emit", type=click.Choice(["c", "pytest"]), help="Print a program that shows the same, and run nothing."
)
@click.option("--color", type=click.Choice(COLOURS), default="auto", help="Colours: on terminals, always, never.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as docs/json.md tells.")
def replay(files: tuple[Path, ...], times: int, emit: str | None, color: str, as_json: bool) -> None:
    """Run stored traces again and show what they do. FILE: what `heaplaw check` stored in heaplaw-out/.

    Exit code 1 when one of them breaks its law again, 2 when one cannot be run here, 0 when all of the laws hold now.
    """
    from .emit import c_program, pytest_regression
    from .schemas import text
    from .store import load

    if emit is not None and as_json:
        raise click.UsageError("--emit and --json: one of them")
    if len(files) > 1 and (emit is not None or as_json):
        raise click.UsageError(f"--{'json' if as_json else 'emit'}: for one FILE at a time, not for {len(files)}")
    traces = [load(file) for file in files]
    if emit is not None:
        click.echo(c_program(traces[0]) if emit == "c" else pytest_regression(traces[0]))
    elif as_json:
        from .replay import run_stored
        from .schemas.documents import replay_document

        again = run_stored(traces[0], times)
        code = BROKEN if again.broken else HOLDS
        echo([text(replay_document(again, code))])
        sys.exit(code)
    else:
        sys.exit(replayed(traces, times, Output.standard(color)))


def replayed(traces: "list[Stored]", times: int, output: Output) -> int:
    """Run them one after the other, and tell what each does: the worst exit code. Of several, those are told and left
    out that cannot be run here.
    """
    from .calls import SubjectError
    from .errors import UsageError
    from .mapping import MappingError
    from .replay import run_stored

    codes: set[int] = set()
    for place, stored in enumerate(traces):
        try:
            again = run_stored(stored, times)
        except (MappingError, UsageError, SubjectError) as error:
            if len(traces) == 1:
                raise
            complain(error)
            codes.add(USAGE)
            continue
        except KeyboardInterrupt:
            click.echo(f"interrupted; {len(traces) - place} of {len(traces)} were not run to the end", err=True)
            return INTERRUPTED
        if place:
            echo([""])
        output.tell(again.lines(output.page))
        codes.add(BROKEN if again.broken else HOLDS)
    return next(code for code in (BROKEN, USAGE, HOLDS) if code in codes)


@cli.command(context_settings={"allow_extra_args": True})
@click.pass_context
def laws(ctx: click.Context) -> None:
    """The catalogue of laws, from the code. `heaplaw explain CODE` tells one whole."""
    from .explaining import catalogue_lines

    if ctx.args:
        from .errors import UsageError

        raise UsageError(f"laws lists all of them; `heaplaw explain {' '.join(ctx.args)}` tells one law whole")
    output = Output.standard()
    output.tell(catalogue_lines(output.page))


@cli.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--shape", help="Of your own steps: what they are.")
@click.option("--list", "listing", is_flag=True, help="Name and state the obligations; decide nothing.")
@click.option("--explain", metavar="NAME", help="One obligation, whole: hypotheses, which were used, what is trusted.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Processes side by side.  [default: the processors]")
def prove(names: tuple[str, ...], shape: str | None, listing: bool, explain: str | None, jobs: int | None) -> None:
    """Prove the laws of the reference's own steps: z3 for any capacity and state, CrossHair through Python itself.

    NAME: a part (pool), a step (pool.alloc), an obligation (pool.alloc.aligned), a seeded fault of the reference
    (mutant:ref-pool-last-kept), or your own steps (package.module:MyBump with --shape bump). Exit code 0 only if all
    is proved: 1 refuted, 3 not decided, 4 heaplaw's own error.
    """
    from .proving.face import Proving

    if listing and explain is not None:
        raise click.UsageError("--list and --explain: one of them")
    asked = Proving(names, shape, jobs)
    if listing:
        echo(list(asked.listing()))
        return
    if explain is not None:
        echo(list(asked.explained(explain)))
        return
    try:
        for text in asked.lines(progress):
            echo([text])
    except KeyboardInterrupt:
        echo([asked.summary])
        click.echo("interrupted; what is told above is decided, the rest is not", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(asked.exit_code)


EXPLORED = ("layouts", "bump", "pool", "stack", "freelist", "freelist-coalescing", "arena")
BOUNDED_BY = {
    "layouts": (),
    "bump": ("capacity", "align"),
    "pool": (),
    "stack": ("capacity", "align"),
    "freelist": ("capacity", "align", "grid"),
    "freelist-coalescing": ("capacity", "align", "grid"),
    "arena": ("capacity",),
}
"""The options that each of these knows, beside a pool's own."""


@cli.command()
@click.argument("allocators", nargs=-1, type=click.Choice(EXPLORED), metavar="[ALLOCATOR]...")
@click.option("--capacity", type=click.IntRange(32, 4096), help="Bytes of the buffer, or of an arena's parent.")
@click.option("--align", type=click.Choice(["16", "32", "64", "128"]), help="What some requests are aligned to, bytes.")
@click.option("--grid", type=click.Choice(["8", "16", "32"]), help="Bytes between the sizes of a free list's blocks.")
@click.option("--block-size", type=click.IntRange(1, 4096), default=24, show_default=True, help="Of a pool, bytes.")
@click.option("--num-blocks", type=click.IntRange(1, 8), default=5, show_default=True, help="Of a pool.")
def explore(
    allocators: tuple[str, ...],
    capacity: int | None,
    align: str | None,
    grid: str | None,
    block_size: int,
    num_blocks: int,
) -> None:
    """Visit every state of small reference allocators, and judge every law on every transition.

    ALLOCATOR: layouts (the functions that every request goes through), bump, pool, stack, freelist,
    freelist-coalescing, arena; all of them when none is named.
    """
    from heaplaw.models.explore import Bounds

    from .engines import Engine

    given = {"capacity": capacity, "align": align, "grid": grid}
    for option, value in given.items():
        if value is not None and allocators and not any(option in BOUNDED_BY[name] for name in allocators):
            raise click.UsageError(f"--{option} {value}: it says nothing about {', '.join(allocators)}")
    if capacity is not None and capacity % 8:
        raise click.UsageError(f"--capacity {capacity}: what is explored is whole words: a multiple of 8")
    bounds = Bounds(capacity or 0, int(align or 0), int(grid or 0), block_size, num_blocks)
    engine = Engine()
    for place, name in enumerate(dict.fromkeys(allocators) or EXPLORED):
        if place:
            click.echo()
        for text in engine.layouts() if name == EXPLORED[0] else engine.explore(name, bounds, progress):
            click.echo(text)
    finish(engine.broken, engine.undecided)


def finish(broken: int, undecided: int) -> None:
    """One line that can be searched for, and the exit code."""
    click.echo(f"SUMMARY: heaplaw: {broken} broken, {undecided} undecided")
    sys.exit(BROKEN if broken else UNDECIDED if undecided else HOLDS)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def guide(as_json: bool) -> None:
    """Which allocator for what: costs in words, memory lost and overheads, measured now on the reference allocators.

    The sources' own words stand beside what was measured. The same figures on every machine.
    """
    from .guide import document, lines
    from .guide import guide as measured
    from .schemas import envelope, text

    found = measured()
    echo([text(envelope("guide", document(found)))] if as_json else lines(found))


@cli.command()
@click.option("--quick", is_flag=True, help="Fewer rounds and operations: a look, not a measurement.")
@click.argument("parts", nargs=-1, type=click.Choice(list(BENCHES)))
def bench(quick: bool, parts: tuple[str, ...]) -> None:
    """Measure, side by side in one run: checked against raw replay, cost and memory by length, mutants found; and the
    reference allocators beside CPython's and the C library's.

    generators: faults found by each way of drawing traces. Half an hour, and only when it is named.
    """
    from .bench import run

    for line in run(parts or [part for part in BENCHES if part not in LONG], quick):
        click.echo(line)


@cli.command()
@click.argument("library", metavar="LIB")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="What it is, where its functions do not tell.")
@click.option("--prefix", help="What the functions begin with, where a library has several allocators, like mi_.")
@click.option(
    "--output", "-o", default="", metavar="FILE", help="Where to write it, - to print it.  [default: NAME.toml]"
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(library: str, shape: str | None, prefix: str | None, output: str, force: bool) -> None:
    """Write a first mapping for the shared library LIB: a path, or a name that the loader finds.

    From the names of its functions, and their parameters if it was built with -g. What is guessed is marked so.
    """
    from .init import write_mapping

    echo(write_mapping(library, shape, output, force, prefix))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def subjects(as_json: bool) -> None:
    """What can be judged by name here: built-in subjects, mappings that ship with heaplaw, and your own.

    Yours lie in .heaplaw/ in the current folder, or in $XDG_CONFIG_HOME/heaplaw/mappings (~/.config/heaplaw/mappings).
    """
    from .schemas import envelope, text
    from .subjects.listing import document, listing

    if as_json:
        echo([text(envelope("subjects", document()))])
        return
    output = Output.standard()
    output.tell(listing(output.page))


cli.add_command(explain_command)
cli.add_command(diff_command)
cli.add_command(doctor_command)
cli.add_command(cost_command)
cli.add_command(matrix_command)
cli.add_command(mutants_command)
cli.add_command(survey_command)


def main(arguments: list[str] | None = None) -> None:
    """The entry point: bad input gives one line and exit code 2, never a traceback."""
    from .calls import SubjectError
    from .errors import HostError, UsageError
    from .mapping import MappingError

    command: Callable[..., Any] = cli.main
    interrupts.install()
    try:
        command(arguments, prog_name="heaplaw", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(USAGE)
    except click.UsageError as error:
        hint = f" (see `{error.ctx.command_path} --help`)" if error.ctx else ""
        warn(" ".join(error.format_message().split()) + hint)
        sys.exit(USAGE)
    except click.ClickException as error:
        warn(error.format_message())
        sys.exit(USAGE)
    except (MappingError, UsageError, SubjectError) as error:
        complain(error)
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
