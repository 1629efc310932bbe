"""What is raised for a call that no correct program makes. The state is then as it was before the call."""

from .. import allocators


class MisuseError(allocators.MisuseError):
    """A double free, a foreign pointer, an absurd size, a use after the end, …: as of the single allocators, and caught
    with theirs.

    `address` is the pointer at fault, where there is one; `known` says what is known of it, in words.
    """

    def __init__(self, doing: str, known: str, address: int | None = None) -> None:
        super().__init__(f"{doing}: {known}")
        self.address = address
        self.known = known
