"""Hypothesis machines, generators and exhaustive exploration."""
