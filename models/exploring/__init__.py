"""Exhaustive exploration: models of the reference allocators, and the search that visits every state of one."""
