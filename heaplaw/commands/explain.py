"""`heaplaw explain`: one law told whole."""

import click

from heaplaw.console import Output, echo

TOPICS = ("mapping", "exit-codes", "verdicts", "dialects", "misuse")
"""What is explained beside laws; `explaining.topics` tells it."""


@click.command("explain")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def command(as_json: bool, codes: tuple[str, ...]) -> None:
    """Tell laws whole: what it asks, its sources, a program that keeps it and one that breaks it, what allows that.

    CODE: a law's code or name (HL103, blocks_disjoint), or a topic: mapping, exit-codes, verdicts, dialects,
    misuse.
    """
    from heaplaw import explaining, schemas
    from heaplaw.errors import UsageError

    if not codes:
        raise UsageError(f"say what: `heaplaw explain HL103`, or {', '.join(TOPICS)}; `heaplaw laws` lists the laws")
    asked = [explaining.find(code) for code in codes]
    if as_json:
        echo([schemas.text(explaining.document(asked))])
        return
    output = Output.standard()
    output.tell(explaining.told(asked, output.page))
