"""What ends a command in one line. Light: the command line knows these before anything heavy is loaded."""


class UsageError(Exception):
    """What the user asked for cannot be done: one line that says what, where, and what to do."""


class HostError(Exception):
    """The subject could not be started; the text says why, in one line."""


class UncountedError(HostError):
    """The instructions of calls cannot be counted; the text says why."""
