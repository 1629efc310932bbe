"""A search that adapts: it learns what a subject accepts, and keeps what showed new behaviour."""

from .corpus import Corpus
from .loop import PROFILE, Search
from .searching import Searching

__all__ = ["PROFILE", "Corpus", "Search", "Searching"]
