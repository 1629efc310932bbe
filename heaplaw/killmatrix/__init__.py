"""The kill matrix: every allocator with a seeded fault against every law, and which engine saw the fault.

`cases` finds all mutants of the project where they are defined, `engines` runs one of them on a seeded, fixed budget,
`matrix` puts the answers together, `text` says them.
"""

from .cases import Case, all_cases
from .matrix import Kill, Matrix, Row, build

__all__ = ["Case", "Kill", "Matrix", "Row", "all_cases", "build"]
