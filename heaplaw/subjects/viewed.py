"""Subjects whose mapping has a view: the same allocator once more, run call by call, its free list looked at."""

from dataclasses import replace

from heaplaw import mapping, plan
from heaplaw.mapping import Mapping
from heaplaw.viewing import FITS, LEAST, SOUND, ListView

from .base import ProcessSubject, worker_command

LEAST_RUN, SHARE, OPERATIONS = 2_000, 10, 10_000
"""Operations that are run so: every one is followed by a walk along the list, in Python. So many at least, or one in so
many of those that a check was asked for; at most what takes about 2 seconds.
"""
AGAIN = 20_000
"""Operations at most of a run that broke a law, and is run once more so."""


def length_of(asked: int) -> int:
    """Operations of the run in which the list is looked at, by those that the whole check was asked for."""
    return min(asked, max(LEAST_RUN, min(asked // SHARE, OPERATIONS)))


def viewer_of(subject: ProcessSubject, read: Mapping) -> ProcessSubject | None:
    """The subject that looks at the list, where the mapping says how."""
    if read.view is None:
        return None
    calls = subject.spec["calls"]
    command = worker_command(
        {"kind": "mapped", "library": calls["library"], "plan": calls["plan"], "view": list_view(read).document()},
        dict(read.environment),
    )
    seen = SOUND | FITS[read.promises.fit] | (LEAST if read.promises.minimum is not None else frozenset[str]())
    return replace(
        subject,
        command=command,
        offers=subject.offers | seen,
        spec={**subject.spec, "view": True},
        driver="python",
        operations=OPERATIONS,
        _host=None,
    )


def list_view(read: Mapping) -> ListView:
    """How the mapping's list is looked at."""
    assert read.view is not None
    view = read.view

    def part(said: mapping.Call | int) -> plan.Call | int:
        return said if isinstance(said, int) else planned(read, said)

    return ListView(part(view.first), part(view.next), part(view.size), view.header)


def planned(read: Mapping, made: mapping.Call) -> plan.Call:
    """A call of the mapping, as drivers take it: constants are numbers there."""
    # An address or a bare number that comes back is the same word to a driver.
    return plan.Call(made.function, made.returns, tuple(number(read, a) for a in made.arguments))


def number(read: Mapping, argument: str | int) -> str | int:
    """A constant's word as its number; other arguments as they are."""
    return read.constants.get(argument, argument) if argument in ("block_size", "num_blocks") else argument
