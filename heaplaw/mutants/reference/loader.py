"""The reference implementation imported once more, under another name, with one module's source changed.

`heaplaw.mutants.reference.ref_pool_full_early` is such a copy: a package whose modules are those of `heaplaw.refimpl`,
all executed again, so that classes, records and variables are its own. Only `heaplaw.spec` is shared. Importing any
module of a copy by its full name is enough, in any process: importing the parent package installs the finder.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

from .patch import REFERENCE, Patch

__all__ = ["Finder", "PatchedLoader", "install"]


class PatchedLoader(SourceFileLoader):
    """Loads one file with its source changed; no compiled file is read or written."""

    def __init__(self, fullname: str, path: str, patch: Patch) -> None:
        super().__init__(fullname, path)
        self._patch = patch

    def get_code(self, fullname: str) -> CodeType:
        """The code of the changed source."""
        path = self.get_filename(fullname)
        changed = self._patch.applied(decode_source(self.get_data(path)))
        return compile(changed, f"{path} ({self._patch.name})", "exec", dont_inherit=True)


class Finder(MetaPathFinder):
    """Finds the modules of the copies, whose names begin with `parent`."""

    def __init__(self, parent: str, patch_of: Callable[[str], Patch | None]) -> None:
        self._parent = parent + "."
        self._patch_of = patch_of

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module of that name comes from; None for names that are no copy's."""
        if not fullname.startswith(self._parent):
            return None
        identifier, *inside = fullname.removeprefix(self._parent).split(".")
        patch = self._patch_of(identifier)
        if patch is None:
            return None
        file = _file_of(inside)
        if file is None:
            return None
        changed = file == patch.file
        loader = PatchedLoader(fullname, str(file), patch) if changed else SourceFileLoader(fullname, str(file))
        folder = [str(file.parent)] if file.name == "__init__.py" else None
        return spec_from_file_location(fullname, file, loader=loader, submodule_search_locations=folder)


def _file_of(inside: Sequence[str]) -> Path | None:
    """The reference's file for a module, given by the parts of its name inside the package."""
    place = REFERENCE.joinpath(*inside)
    files = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in files if file.exists()), None)


def install(finder: Finder) -> None:
    """Ask `finder` before the finder of files, which would find the copies' parent folder only."""
    sys.meta_path.insert(0, finder)
