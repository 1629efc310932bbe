"""What changed between two versions of an allocator: laws, by the same traces, and behaviour, by short directed ones.

`compare` runs both and gives a `Difference`; `text` and `document` tell it.
"""

from .comparing import compare
from .parts import Apart, Behaviour, Difference, Footprint, Grade, LawChange, Replay

__all__ = ["Apart", "Behaviour", "Difference", "Footprint", "Grade", "LawChange", "Replay", "compare"]
