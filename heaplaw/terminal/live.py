"""One line on standard error that tells what a long run is at, and is gone when it is done."""

import os
import threading
import time
from typing import TYPE_CHECKING, Self

from heaplaw.interrupts import held

if TYPE_CHECKING:
    from rich.text import Text

DELAY = 0.5
"""Seconds: of runs that are shorter nothing is told."""
PER_SECOND = 8
LONGEST = 30
"""Of a subject's name, characters."""


class Quiet:
    """Tells nothing: what is piped stays as it is."""

    def says(self, text: str) -> None:
        """Nothing."""

    def counts(self, done: int, total: int, broken: int) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing."""


class Line:
    """A live line on a terminal, by rich. What changes is read by the thread that draws: each value is set whole."""

    def __init__(self, subject: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self.subject = subject if len(subject) <= LONGEST else subject[: LONGEST - 1] + "…"
        self.what, self.since = "", time.monotonic()
        self.counted: tuple[int, int, int] | None = None
        self._live = Live(
            get_renderable=self._drawn,
            console=Console(stderr=True, highlight=False),
            refresh_per_second=PER_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._start = threading.Timer(DELAY, self._live.start)
        self._start.daemon = True

    def says(self, text: str) -> None:
        """Something else is done now."""
        self.counted = None
        self.what, self.since = text, time.monotonic()

    def counts(self, done: int, total: int, broken: int) -> None:
        """So many operations of the current run are judged, of so many; so many laws were found broken in it."""
        self.counted = (done, total, broken)

    def text(self, seconds: float) -> str:
        """The line, so many seconds after the current thing began."""
        start = f"  … {self.subject}: {self.what}" if self.what else f"  … {self.subject}"
        if self.counted is None:
            return f"{start}, {seconds:.0f} s"
        done, total, broken = self.counted
        rate = done / seconds if seconds > 0 else 0
        laws = f"{broken} law{'s' * (broken != 1)} broken" if broken else "no law broken"
        return f"{start}, {done:,} of {total:,} operations, {rate:,.0f}/s, {laws}"

    def _drawn(self) -> "Text":
        from rich.text import Text

        style = "" if os.environ.get("NO_COLOR") else "dim"  # rich drops colours only
        return Text(self.text(time.monotonic() - self.since), no_wrap=True, overflow="ellipsis", style=style)

    def __enter__(self) -> Self:
        self._start.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """The line goes and the cursor comes back, whoever interrupts; more than once is as good."""
        with held():
            self._start.cancel()
            self._start.join()
            self._live.stop()
