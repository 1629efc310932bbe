"""What a contract is, and `confirm`, which asks CrossHair for all paths."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from heaplaw.proofs.loops import swapped
from heaplaw.spec.verdict import Confirmed, Error, Unknown

UNWRITTEN = "a word is read that was never written"
"""A step that does so is at fault; any other exception is an error of the contract."""


@dataclass(frozen=True)
class Contract:
    """A function with a contract (PEP 316) in its docstring, which runs a step of the reference."""

    name: str
    """Part and step."""
    function: Callable[..., bool]
    """Its module calls the steps by the name `steps`."""
    scope: str
    """What it is confirmed for, in words."""

    def on(self, steps: Any) -> Callable[..., bool]:
        """The same contract on other steps: a faulty copy of the reference's module."""
        stated = swapped(sys.modules[self.function.__module__], steps=steps)
        found: Callable[..., bool] = getattr(stated, self.function.__name__)
        return found


@dataclass(frozen=True)
class ContractRefuted:
    """CrossHair's counterexample, in its words."""

    message: str


PATIENCE = 900.0
"""Seconds after which CrossHair is given up: far more than any contract takes on a busy machine, so that the answer
does not depend on how busy it is.
"""


def confirm(contract: Callable[..., Any], seconds: float = PATIENCE) -> Confirmed | ContractRefuted | Unknown | Error:
    """CrossHair's answer on a function with a contract in its docstring; anything but "all paths" is Unknown."""
    core: Any = import_module("crosshair.core_and_libs")
    options: Any = import_module("crosshair.options")
    kinds = core.MessageType
    chosen = options.AnalysisOptionSet(
        analysis_kind=[options.AnalysisKind.PEP316],
        report_all=True,
        per_condition_timeout=seconds,
        per_path_timeout=seconds,
    )
    messages: list[Any] = core.run_checkables(core.analyze_function(contract, chosen))
    for message in messages:
        if message.state in (kinds.POST_FAIL, kinds.POST_ERR, kinds.EXEC_ERR):
            told = str(message.message)
            return ContractRefuted(told) if message.state == kinds.POST_FAIL or UNWRITTEN in told else Error(told)
    if messages and all(message.state == kinds.CONFIRMED for message in messages):
        return Confirmed()
    return Unknown("; ".join(str(message.message) for message in messages) or "the function has no contract")
