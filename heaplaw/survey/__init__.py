"""A survey: every ready mapping that is installed is checked, and told in tables, made of the checks' documents.

`running` checks one library at a time, each in a process of its own; `facts` finds what there is to say of all of
them; `text`, `markdown` and `document` say it.
"""

from .facts import Survey, Surveyed
from .running import chosen, survey

__all__ = ["Survey", "Surveyed", "chosen", "survey"]
