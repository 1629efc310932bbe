"""A stored trace run again on an allocator that only its test can make: the test is collected and set up by pytest, and
in the place of its check the trace is run.
"""

import importlib.util
import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from heaplaw.errors import UsageError

if TYPE_CHECKING:
    from heaplaw.replay import Again
    from heaplaw.store import Stored

    from .forms import Form


class Replayer:
    """A plugin of one session: it runs the trace as soon as the test has made its form known."""

    def __init__(self, stored: "Stored", times: int) -> None:
        self.stored = stored
        self.times = times
        self.again: Again | None = None
        self.error = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        """From here on tests ask for the replay."""
        config.stash[REPLAYER] = self

    def run(self, form: "Form", node: str) -> bool:
        """Run the trace on the allocator of a test, once; whether that is the one which it was found on."""
        from heaplaw.replay import run_stored

        if self.again is not None or self.error:
            return True
        try:
            if node != self.stored.subject["node"]:
                return False
            subject = form.subject(node)
            self.again = run_stored(self.stored, self.times, subject)
        except UsageError as error:
            self.error = str(error)
        return True


REPLAYER = pytest.StashKey[Replayer]()


def replaying(config: pytest.Config) -> Replayer | None:
    """The replay that this session is for, if it is for one."""
    return config.stash.get(REPLAYER, None)


def replayed(stored: "Stored", times: int) -> "Again":
    """Run the trace so many times; UsageError where the test does not run here any more."""
    node = str(stored.calls.get("item") or stored.subject["node"])
    file = node.partition("::")[0]
    root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / file).is_file()), None)
    if root is None:
        raise UsageError(f"{stored.path}: it was found by the test {node}, and {file} is not here; go to its project")
    replayer, said = Replayer(stored, times), io.StringIO()
    alone = ["-n0"] if importlib.util.find_spec("xdist") else []
    with redirect_stdout(said), redirect_stderr(said):
        code = pytest.main([f"{root / file}{node[len(file) :]}", "-q", "-p", "no:cacheprovider", *alone], [replayer])
    if replayer.again is not None:
        return replayer.again
    last = [line for line in said.getvalue().splitlines() if line.strip()]
    if not replayer.error and code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise UsageError(f"{stored.path}: it was found by the test {node}, which is not there; was it renamed?")
    why = replayer.error or (last[-1] if last else f"exit code {int(code)}")
    raise UsageError(f"{stored.path}: pytest {node} did not get so far as to make the allocator: {why}")
