"""Misuse: what happens to a program that frees what it must not. Judged only where a policy is declared."""

from ..event import Env, Event, Policy, Status
from ..history import EXIT_CODES
from ..law import Law, Scope
from ..logic import Truth, Word, ite, one_of
from ..shapes import SHAPES, Kind, Misuse
from .clauses import answer

GIVING_BACK = frozenset(name for name, shape in SHAPES.items() if Kind.FREE in shape.operations)
ABORTS = (4, 5, 6)
"""Signals by which a process ends itself: SIGILL, SIGTRAP, SIGABRT."""
WORDS = {
    Policy.UNDEFINED: "anything",
    Policy.ABORT: "the process ends itself",
    Policy.IGNORE: "it returns, and nothing has changed",
    Policy.ERROR: "it is refused",
}


def policy(e: Event) -> Word:
    """What is promised for the pointer that was given."""
    env = e.env
    last = ite(e.size == Misuse.FOREIGN, env.foreign_free, Policy.UNDEFINED)
    third = ite(e.size == Misuse.UNALIGNED, env.unaligned_free, last)
    return ite(e.size == Misuse.DOUBLE, env.double_free, ite(e.size == Misuse.INTERIOR, env.interior_free, third))


def _misused(e: Event) -> Truth:
    return e.called & (e.kind == Kind.MISFREE) & (policy(e) > Policy.UNDEFINED)


def _as_declared(e: Event) -> Truth:
    ended = (e.status == Status.DIED) & (one_of(e.err, ABORTS) | (e.err > EXIT_CODES))
    told = e.failed | (e.status == Status.WRONG)
    returned = ite(policy(e) == Policy.IGNORE, e.served, told)
    return ite(policy(e) == Policy.ABORT, ended, returned)


_OUTSIDE = Env(double_free=Policy.ABORT, interior_free=Policy.ERROR)

misuse_as_declared = Law[Event](
    id="HL913",
    name="misuse_as_declared",
    sentence="a double free, or the free of a pointer that no block has, ends as the policy says",
    source="C17 7.22.3.3 p2 (undefined); the policy of the allocator's manual, as its mapping declares it",
    scope=Scope.EVENT,
    shapes=GIVING_BACK,
    premise=_misused,
    body=_as_declared,
    observed=answer,
    required=lambda e: WORDS[Policy(int(policy(e)))],
    accepts=(
        (Event(Kind.MISFREE, Misuse.DOUBLE, status=Status.DIED, err=6, env=_OUTSIDE),),
        (Event(Kind.MISFREE, Misuse.INTERIOR, status=Status.FAILED, env=_OUTSIDE),),
    ),
    rejects=(
        (Event(Kind.MISFREE, Misuse.DOUBLE, env=_OUTSIDE),),
        (Event(Kind.MISFREE, Misuse.DOUBLE, status=Status.DIED, err=11, env=_OUTSIDE),),
        (Event(Kind.MISFREE, Misuse.INTERIOR, env=_OUTSIDE),),
    ),
    needs=frozenset({"free", "misuse"}),
    scenes=True,
)

LAWS = (misuse_as_declared,)
