"""Obligations on the reference steps, discharged by z3 and CrossHair.

`symbolic` and `paths` run Python on symbolic values, `prove` decides obligations, `pool` states those on the
pool's steps, `lemmas` those that fast judges stand on; `contracts` asks CrossHair. Imports `spec` and `refimpl`
only; laws are looked up in the catalogue when an obligation is built.
"""
