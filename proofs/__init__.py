"""Obligations on the reference's own steps, discharged by z3 and CrossHair.

`symbolic`, `facts`, `tables` and `paths` run Python on symbolic values, `loops` cuts loops at their exposed turn, and
`prove` decides obligations. Each part of the reference has a module that states them: `bump`, `stack`, `pool`,
`freelist`, `arena`, …; and `own` those on the steps of a user. `lemmas` proves what judges and proofs stand on,
`consistency` looks at the laws themselves, `bits` proves some obligations again with bit-vectors, `contracts` asks
CrossHair. Imports `spec` and `refimpl` only; laws are looked up in the catalogue when an obligation is built.
"""
