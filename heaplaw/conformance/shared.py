"""One check for all items of a subject, also where several worker processes of pytest-xdist share these."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .judged import Judged

KEPT = pytest.StashKey[dict[str, Judged]]()


def shared(config: pytest.Config, key: str, compute: Callable[[], Judged]) -> Judged:
    """What came of checking the subject `key`: `compute` is called once in this session, by whoever asks first."""
    known = config.stash.setdefault(KEPT, {})
    if key not in known:
        known[key] = Judged(error="its check was cut off")  # by a time limit, say: it is not begun anew for each law
        known[key] = _once(config, key, compute)
    return known[key]


def folder(config: pytest.Config) -> Path | None:
    """Where the workers of a session leave what they found; None where there is one process only."""
    told: dict[str, Any] = getattr(config, "workerinput", {})
    session = told.get("testrunuid")
    return Path(tempfile.gettempdir()) / f"heaplaw-{os.getuid()}-{session}" if session else None


def _once(config: pytest.Config, key: str, compute: Callable[[], Judged]) -> Judged:
    place = folder(config)
    if place is None:
        return compute()
    place.mkdir(mode=0o700, exist_ok=True)
    name = hashlib.sha256(key.encode()).hexdigest()[:24]
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes second waits for the answer
        answer = place / f"{name}.json"
        if answer.exists():
            return Judged.read(json.loads(answer.read_text()))
        judged = compute()
        writing = place / f"{name}.writing"
        writing.write_text(json.dumps(judged.document()))
        writing.replace(answer)
        return judged


def remove(session: str) -> None:
    """Take away what the workers of a session left."""
    import shutil

    shutil.rmtree(Path(tempfile.gettempdir()) / f"heaplaw-{os.getuid()}-{session}", ignore_errors=True)
