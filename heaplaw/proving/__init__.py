"""`heaplaw prove`: every obligation on the reference's own steps, decided on all cores, and told a line each.

`parts` says what is proved of what; `campaign` decides it in processes of its own; `reach` asks the explorer whether a
refuted step can be reached; `text` tells all that. The proofs themselves are in `heaplaw.proofs`.
"""
