"""`heaplaw cost`: what calls cost, in instructions."""

import sys

import click

from heaplaw.console import BROKEN, COLOURS, HOLDS, UNDECIDED, Number, Output, combine, echo, found, progressing
from heaplaw.spec.shapes import SHAPES


@click.command("cost")
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@click.option("--prefix", default="", help="What stands before malloc, free, … in a library, like je_.")
@click.option("--shape", type=click.Choice(list(SHAPES)), help="The interface of a Python object.")
@click.option("--block-size", type=click.IntRange(1, 2**20), help="For a pool's constructor, bytes.")
@click.option("--num-blocks", type=click.IntRange(1, 2**20), help="For a pool's constructor.")
@click.option("--capacity", type=click.IntRange(1, 2**32), help="For the constructor of other shapes, bytes.")
@click.option("--memory", type=Number(0.1, 4096), default=16.0, help="Address space of a run, GiB.")
@click.option("--cpu", type=Number(0.1, 3600), default=5.0, help="CPU seconds that one operation may take.")
@click.option("--callgrind", is_flag=True, help="Count some calls under valgrind as well, and tell the difference.")
@click.option("--color", type=click.Choice(COLOURS), default="auto", help="Colours: on terminals, always, never.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as docs/json.md tells.")
def command(
    subjects: tuple[str, ...],
    prefix: str,
    shape: str | None,
    block_size: int | None,
    num_blocks: int | None,
    capacity: int | None,
    memory: float,
    cpu: float,
    callgrind: bool,
    color: str,
    as_json: bool,
) -> None:
    """What each operation of SUBJECTs costs: instructions of a call with few and with many blocks in the heap.

    Counted one by one, on a fresh and on a fragmented heap; the same counts in every run. SUBJECT: as `heaplaw check`
    takes it. Where a mapping promises a cost, HL434 is judged: exit code 1 when it is broken, 3 when it could not be
    decided; without a promise 0.
    """
    from heaplaw import schemas
    from heaplaw.cost import callgrind as cross
    from heaplaw.cost import judged, measure, text
    from heaplaw.spec.protocols import Limits
    from heaplaw.spec.verdict import Unknown, Violated
    from heaplaw.terminal.marked import Marked

    given = {"block_size": block_size, "num_blocks": num_blocks, "capacity": capacity}
    arguments = {name: value for name, value in given.items() if value is not None}
    limits = Limits(cpu=cpu, wall=4 * cpu, memory=int(memory * 2**30))
    output, code, documents = Output.standard(color), HOLDS, list[dict[str, object]]()
    chosen = found(subjects or ("glibc",), prefix, shape, arguments)
    try:
        for place, subject in enumerate(chosen):
            with progressing(subject.identity) as told:
                told.says("counting instructions")
                promised = {kind: word for kind, word in subject.cost.items() if kind in subject.kinds}
                counts = judged.judged(measure.measure(subject, None, limits, shown=judged.shown(promised)), promised)
                both = cross.compare(subject, limits) if callgrind else []
            outcome = counts.tally.verdict().outcome if promised else None
            undecided = isinstance(outcome, Unknown)
            known = judged.LAW in {each.law for each in subject.expected}
            broken = isinstance(outcome, Violated) and not known
            code = combine(code, BROKEN if broken else UNDECIDED if undecided else HOLDS)
            if as_json:
                documents.append(text.subject_document(subject, counts, both if callgrind else None))
                continue
            told_first = [Marked("")] if place else []
            told_last = [Marked(""), *text.compared_lines(both)] if callgrind else []
            table = text.lines(subject.identity, subject.shape.name, counts, output.page)
            output.tell([*told_first, *table, *told_last])
    finally:
        for subject in chosen:
            subject.close()
    if as_json:
        echo([schemas.text(schemas.envelope("cost", {"subjects": documents, "exit_code": code}))])
    sys.exit(code)
