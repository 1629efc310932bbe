"""Who makes a plan's calls in the worker's process: ctypes for libraries, attribute look-ups for Python objects."""
