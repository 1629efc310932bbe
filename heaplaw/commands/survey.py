"""`heaplaw survey`: every ready mapping that is installed, checked, and told in tables."""

import secrets
import sys
from functools import reduce

import click

from heaplaw import __version__
from heaplaw.console import COLOURS, HOLDS, INTERRUPTED, Output, combine, echo, progressing


@click.command("survey")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--operations",
    "-n",
    type=click.IntRange(1, 50_000_000),
    help="Of each main run.  [default: as check; then expectations are strict]",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Repeat a run; drawn, and printed, if left out.")
@click.option("--color", type=click.Choice(COLOURS), default="auto", help="Colours: on terminals, always, never.")
@click.option("--markdown", "as_markdown", is_flag=True, help="A page for documentation.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as docs/json.md tells.")
def command(
    names: tuple[str, ...], operations: int | None, seed: int | None, color: str, as_markdown: bool, as_json: bool
) -> None:
    """Verdict tables: laws and allocators, and what was seen where standards differ, by what each dialect says.

    NAME: a mapping that `heaplaw subjects` lists; all that come with heaplaw when none is named. They are checked one
    after the other, each in a process of its own; one that is not installed is told, and is no failure. For a whole
    run of all that takes some minutes. The exit code is the gravest of the checks.
    """
    from heaplaw.errors import UsageError
    from heaplaw.survey import chosen, survey

    if as_markdown and as_json:
        raise UsageError("--markdown and --json: one of them")
    paths = chosen(names)
    seed = secrets.randbelow(10**8) if seed is None else seed
    with progressing("survey") as told:
        found = survey(paths, seed, operations, told.says)
    code = INTERRUPTED if found.interrupted else reduce(combine, found.codes, HOLDS)
    if not found.checked and not found.interrupted:
        raise UsageError("; ".join(f"{one.name}: {one.absent}" for one in found.absent))
    if as_json:
        from heaplaw.schemas import text
        from heaplaw.survey.document import document

        echo([text(document(found, code))])
    elif as_markdown:
        from heaplaw.survey.markdown import page

        echo([page(found, __version__)])
    else:
        from heaplaw.survey.text import lines

        face = Output.standard(color)
        face.tell(lines(found, face.page, __version__))
    if found.interrupted:
        click.echo(f"interrupted; {len(paths) - len(found.allocators)} of {len(paths)} were not checked", err=True)
    sys.exit(code)
