"""Obligations on the reference steps, discharged by z3 and CrossHair."""
