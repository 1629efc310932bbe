"""What evidence stands behind each law: law by engine, and by subject.

`listing` tells what each engine can be asked, which takes no deciding; `running` asks; `text` says what came of it.
What was not run in this very run is never shown as decided.
"""

from .items import ENGINES, Item, Items, Matrix
from .listing import listed
from .running import run

__all__ = ["ENGINES", "Item", "Items", "Matrix", "listed", "run"]
