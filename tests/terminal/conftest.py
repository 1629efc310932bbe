"""A terminal of a given width: what a command writes to it, and what comes to it on standard error."""

import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path

import pytest

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass
class Session:
    """A command on a terminal of its own; all that it wrote so far."""

    process: subprocess.Popen[bytes]
    master: int
    seen: bytes = field(default=b"")

    def until(self, word: bytes | None, seconds: float = 60) -> str:
        """Read until `word` was written, or to the end."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (word is None or word not in self.seen):
            try:
                piece = os.read(self.master, 65536)
            except OSError:  # the last one who held the other end has gone
                break
            if not piece:
                break
            self.seen += piece
        return self.seen.decode().replace("\r\n", "\n")

    def press(self, key: bytes) -> None:
        """A key: what the terminal makes of it reaches the whole group in the foreground."""
        os.write(self.master, key)

    def code(self) -> int:
        """The exit code, after the rest was read."""
        self.until(None)
        return self.process.wait(timeout=60)


Terminal = Callable[..., Session]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Start `heaplaw` on a terminal, after the statements `first`; standard error goes there too, or is dropped."""
    sessions: list[Session] = []

    def do(*arguments: str, columns: int = 80, errors: bool = True, first: str = "", **environment: str) -> Session:
        master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        told = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "COLORTERM")}
        # What runs there makes the terminal its own, so that Ctrl-C comes as a signal. (Doing it between fork and exec
        # takes a copy of this process, which may be too large.)
        own = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
        process = subprocess.Popen(
            [sys.executable, "-c", f"{own}\n{first}\nfrom heaplaw.cli import main\nmain()", *arguments],
            cwd=tmp_path,
            env={**told, "TERM": "xterm-256color", **environment},
            stdin=slave,
            stdout=slave,
            stderr=slave if errors else subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(slave)
        sessions.append(Session(process, master))
        return sessions[-1]

    yield do
    for session in sessions:
        with suppress(OSError):
            os.close(session.master)
        if session.process.poll() is None:
            session.process.kill()
        session.process.wait()


def plain(text: str) -> str:
    """Without escape sequences."""
    return ESCAPE.sub("", text)
