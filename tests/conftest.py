"""What all tests share: Hypothesis draws the same examples everywhere, and takes the time that it needs."""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")
