"""Traces drawn from what was learnt of one subject: exact fills, boundary bursts, small programs, edits."""

from .edits import edited
from .knowledge import Knowledge
from .pieces import Kit, drained, fitted
from .programs import program
from .stretches import PROBES, STRETCHES

__all__ = ["PROBES", "STRETCHES", "Kit", "Knowledge", "drained", "edited", "fitted", "program"]
