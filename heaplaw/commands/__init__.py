"""Commands of the command line that have files of their own, each a click command called `command`.

They are light at import: what judges is imported when a command runs. `heaplaw.cli` registers them.
"""
