"""Steps with some of their parts replaced, and loops cut at their exposed turn.

A loop on symbolic values would fork for ever. Where its body is a step of its own (`visit`, `shrink`, `thread`), the
function around it runs whole, with a `Cut` in that step's place: the first turn shows the state in which the loop is
entered and leads to *any* state that satisfies the loop's invariant; the second is the step itself, in that state. So
one run shows all four duties: the invariant holds where the loop is entered; a turn keeps it; what follows the loop
is right in any state in which it may be left; and each turn lowers a measure. Induction over the turns is trusted.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType, SimpleNamespace
from typing import Any


def swapped(module: Any, **parts: Any) -> Any:
    """The functions of `module`, calling `parts` where they call what has these names. The module stays as it is."""
    own: dict[str, Any] = module.__dict__
    space: dict[str, Any] = {**own, **parts}
    for name, value in own.items():
        if isinstance(value, FunctionType) and name not in parts and value.__globals__ is own:
            made = FunctionType(value.__code__, space, name, value.__defaults__, value.__closure__)
            made.__kwdefaults__, made.__annotations__ = value.__kwdefaults__, value.__annotations__
            space[name] = made
    return SimpleNamespace(**space)


class TurnEnded(Exception):  # noqa: N818 - no error: the path ends here
    """One turn of a loop is over, and the loop goes on: the `Cut` knows what came of it."""


@dataclass
class Cut:
    """Stands in for a loop's turn. `entered` and `turned` are what a claim looks at."""

    turn: Callable[..., Any]
    """The step itself."""
    jump: Callable[..., Any]
    """Given the arguments of the first turn: a result of a turn, after which the loop's state is any that satisfies
    its invariant.
    """
    leaves: Callable[[Any], Any] = field(default=lambda result: False)
    """Whether the loop ends by this result of a turn."""
    entered: tuple[Any, ...] | None = None
    """The arguments of the first turn; None: the loop was not entered."""
    again: tuple[Any, ...] | None = None
    """The arguments of the turn after the jump; None: the loop was left at its head."""
    turned: Any = None
    """What that turn gave."""

    def __call__(self, *args: Any) -> Any:
        """A turn; raises `TurnEnded` after the second, unless the loop ends by it."""
        if self.entered is None:
            self.entered = args
            return self.jump(*args)
        if self.again is not None:
            raise RuntimeError("a loop took a third turn, or two in one, where each was to be the last")
        self.again, self.turned = args, self.turn(*args)
        if self.leaves(self.turned):
            return self.turned
        raise TurnEnded
