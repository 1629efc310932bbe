"""A stored witness as a program of its own: in C, or as a regression test for pytest."""

from .program import c_program
from .regression import pytest_regression

__all__ = ["c_program", "pytest_regression"]
