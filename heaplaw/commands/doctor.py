"""`heaplaw doctor`: what this machine lacks, and what that costs."""

import sys
from importlib.util import find_spec

import click

from heaplaw.console import Output, echo, progressing


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def command(as_json: bool) -> None:
    """What this machine lacks, what that costs, and what to install or to set.

    Exit code 0 where nothing is broken, 1 where something is there, or has to be, and does not work. What is only
    missing is no error: heaplaw then does less, and says so.
    """
    from heaplaw import schemas
    from heaplaw.doctor import document, examine, lines
    from heaplaw.doctor.text import exit_code
    from heaplaw.terminal.live import Quiet

    whole = find_spec("rich") is not None  # what is missing may be what shows colours
    with progressing("doctor") if whole else Quiet() as told:
        found = examine(told.says)
    if as_json:
        echo([schemas.text(document(found))])
    else:
        output = Output.standard("auto" if whole else "never")
        output.tell(lines(found, output.page))
    sys.exit(exit_code(found))
