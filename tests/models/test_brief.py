"""What a failing machine shows under pytest: the user's frames, and what does not fit in one line."""

import traceback
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import Verbosity, reproduce_failure, settings
from hypothesis.errors import InvalidArgument
from hypothesis.stateful import invariant

from heaplaw.machines import AllocatorMachine, BumpMachine, UnfitError

from .shaped import Regions


class Plain(BumpMachine):
    def make(self) -> Regions:
        return Regions()


class Few(Plain):
    @invariant()
    def few(self) -> None:
        assert len(self.slots()) < 2


class Typing(Plain):
    operations: ClassVar = {"realloc": "relaese(ptr, size)"}


def failed(machine: type[AllocatorMachine], **other: Any) -> BaseException:
    """What its test raises."""
    case: Any = machine.TestCase
    given = {"max_examples": 12, "database": None, "derandomize": True, **other}
    test = type("Test", (case,), {"settings": settings(case.settings, **given)})("runTest")
    with pytest.raises(BaseException) as caught:  # noqa: PT011 (whatever it is)
        test.runTest()
    return caught.value


def files(error: BaseException) -> list[str]:
    """Where its frames are, from the test's own on."""
    return [Path(frame.filename).name for frame in traceback.extract_tb(error.__traceback__)][2:]


def test_brief__an_invariant_that_fails_shows_no_frame_of_hypothesis() -> None:
    error = failed(Few)
    assert isinstance(error, AssertionError)
    assert "stateful.py" not in files(error)
    assert files(error)[-1] == Path(__file__).name
    assert "What led here, all of it lawful:" in "\n".join(error.__notes__)


def test_brief__debugging_shows_all_frames(capsys: pytest.CaptureFixture[str]) -> None:
    assert "stateful.py" in files(failed(Few, verbosity=Verbosity.debug, max_examples=3))
    assert capsys.readouterr().out


def test_brief__what_hypothesis_says_of_itself_keeps_its_frames() -> None:
    class Again(Plain):
        pass

    error = failed(reproduce_failure("0.1", b"AA")(Again))
    assert isinstance(error, InvalidArgument)
    assert {"stateful.py", "core.py"} <= set(files(error))


def test_operations__of_a_misspelt_method_are_one_line_with_what_is_meant() -> None:
    error = failed(Typing)
    assert type(error) is UnfitError
    assert str(error) == (
        "Typing.operations: realloc is to be relaese(ptr, size), but Regions has no method relaese; "
        "did you mean release or reset?"
    )
    assert files(error) == ["brief.py"]
    assert (error.__context__, getattr(error, "__notes__", [])) == (None, [])


def test_operations__that_cannot_be_read_are_refused_when_the_class_is_made() -> None:
    with pytest.raises(UnfitError, match=r"'bytes' is neither a number nor one of"):
        type("Odd", (BumpMachine,), {"operations": {"realloc": "grow(ptr, bytes)"}})
