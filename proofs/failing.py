"""What to say of a failure: in one line, with the place in the user's code that it came from."""

import sys
import traceback
from pathlib import Path

_OURS = (str(Path(__file__).resolve().parents[1]), sys.prefix, sys.base_prefix)
"""Where code lies that no user of a proof has written."""


def failure(problem: BaseException) -> str:
    """What went wrong, and the last line of a user's own code on the way there."""
    place = ""
    for frame in traceback.extract_tb(problem.__traceback__):
        path = Path(frame.filename)
        if not str(path.resolve()).startswith(_OURS):
            place = f" ({path.name}:{frame.lineno})"
    return f"{type(problem).__name__}: {' '.join(str(problem).split())}{place}"
