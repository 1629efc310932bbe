"""The text of a user's steps, looked through for what no unknown number can answer for, its identity, its type and its
text, and for answers that depend on more than the arguments.

Python lets nobody intercept `is`, `isinstance` or a module's variables, so that code with these runs on unknown numbers
as if nothing were wrong, and does something else on integers. It is refused before anything is run. Where a function's
text cannot be had it is passed over: `proofs.guard` runs it on integers all the same.
"""

import ast
import builtins
import inspect
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

_VALUE = "unknown numbers do not tell it; let the state say what it has to know, as an integer or a truth value"
_PURE = "a step depends on its arguments only: let the state hold what it has to remember"
FORBIDDEN = {
    **dict.fromkeys(("isinstance", "issubclass", "type", "callable", "hash", "dir"), _VALUE),
    **dict.fromkeys(("hasattr", "getattr", "vars"), "name the attribute: state.used"),
    **dict.fromkeys(("setattr", "delattr"), "return a new state: dataclasses.replace(state, …)"),
    "id": "compare with ==",
    **dict.fromkeys(("str", "repr", "format", "ascii"), "numbers are known by comparing them only, with ==, < and <="),
    **dict.fromkeys(("globals", "locals", "eval", "exec", "open", "input", "__import__"), _PURE),
}
"""Python's own functions that a step may not use, and what to do instead."""
HIDDEN = {"__class__", "__dict__", "__setattr__", "__delattr__", "__getattribute__", "is_", "is_not"}
"""Attributes by which an object is looked at from behind, and what `operator` has of the kind."""
FICKLE = {"random", "time", "datetime", "secrets", "uuid", "os", "threading"}
"""Modules whose answers depend on when one asks."""
MUTATORS = {"append", "extend", "insert", "pop", "popitem", "remove", "clear", "add", "discard", "update", "setdefault"}
"""Methods that change what they belong to."""
TEXT = {"__repr__", "__str__", "__format__"}
"""Methods that are for people."""


@dataclass(frozen=True)
class Complaint:
    """What a function has that it may not have."""

    line: int
    what: str
    instead: str


# --------------------------------------------------------------------------------------------------- what is read


@dataclass(frozen=True)
class Text:
    """A function with its text."""

    function: Any
    """Python's own object: a FunctionType."""
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

    @cached_property
    def body(self) -> list[ast.AST]:
        """What runs: no annotations, and nothing of what is raised or said by an assertion."""
        parts: Iterable[ast.AST] = [self.node.body] if isinstance(self.node, ast.Lambda) else self.node.body
        return [each for part in parts for each in _running(part)]

    @property
    def own(self) -> set[str]:
        """The names that are the function's: arguments and what it assigns."""
        code: CodeType = self.function.__code__
        bound = {each.id for each in self.body if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
        bound |= {each.arg for each in self.body if isinstance(each, ast.arg)}
        bound |= {each.name for each in self.body if isinstance(each, ast.MatchAs | ast.MatchStar) and each.name}
        return bound | {*code.co_varnames, *code.co_cellvars}

    def stands_for(self, name: str) -> Any:
        """What a name means that is not the function's own; None where that cannot be said."""
        closure = self.function.__closure__ or ()
        cells = dict(zip(self.function.__code__.co_freevars, closure, strict=True))
        if name in cells:
            return getattr(cells[name], "cell_contents", None)
        outer: dict[str, Any] = self.function.__globals__
        return outer.get(name, getattr(builtins, name, None))

    @property
    def met(self) -> Iterator[Any]:
        """What other names mean."""
        own = self.own
        for each in self.body:
            if isinstance(each, ast.Name) and each.id not in own:
                yield self.stands_for(each.id)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Raise):
        return
    yield node
    skipped: list[Any] = []
    if isinstance(node, ast.Assert):
        skipped.append(node.msg)
    elif isinstance(node, ast.AnnAssign | ast.arg):
        skipped.append(node.annotation)
    elif isinstance(node, ast.FunctionDef):
        skipped.append(node.returns)
    for child in ast.iter_child_nodes(node):
        if not any(child is each for each in skipped):
            yield from _running(child)


_PARSED: dict[str, tuple[str, list[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]]] = {}
"""The functions of a file, by its name, with the text that they were read from."""


def text_of(function: FunctionType) -> Text | None:
    """A function's text; None where it cannot be had."""
    code = function.__code__
    try:
        lines, _ = inspect.findsource(code)
        whole = "".join(lines)
        known, nodes = _PARSED.get(code.co_filename, ("", []))
        if known != whole:
            kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
            nodes = [each for each in ast.walk(ast.parse(whole)) if isinstance(each, kinds)]
            _PARSED[code.co_filename] = whole, nodes
    except (OSError, SyntaxError, ValueError, TypeError):
        return None
    for node in nodes:
        if _begins(node) == code.co_firstlineno and _called(node) == code.co_name and _taken(node) == _arguments(code):
            return Text(function, node)
    return None


def _begins(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> int:
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(each.lineno for each in decorators)])


def _called(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def _taken(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> list[str]:
    return [each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _arguments(code: CodeType) -> list[str]:
    return list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


# ------------------------------------------------------------------------------------------------ what is refused


def complaints(text: Text) -> Iterator[Complaint]:
    """What a function may not have, in the order in which it stands there."""
    own = text.own
    defaults: tuple[Any, ...] = text.function.__defaults__ or ()
    named: dict[str, Any] = text.function.__kwdefaults__ or {}
    if any(isinstance(each, list | dict | set) for each in (*defaults, *named.values())):
        yield Complaint(text.node.lineno, "a default that can change", _PURE)
    for node in text.body:
        found = _of_statement(node) or _of_name(node, text, own) or _of_change(node, own, text.function.__name__)
        if found is not None:
            yield Complaint(getattr(node, "lineno", 0), *found)


def _of_statement(node: ast.AST) -> tuple[str, str] | None:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for sign, left, right in zip(node.ops, sides, sides[1:], strict=False):
            if isinstance(sign, ast.Is | ast.IsNot) and not (_none(left) or _none(right)):
                word, sound = ("is", "==") if isinstance(sign, ast.Is) else ("is not", "!=")
                return f"`{word}` on values", f"compare with {sound}"
    if isinstance(node, ast.MatchSingleton) and node.value is not None:
        return f"`case {node.value}`", "use `if` on the truth value"
    if isinstance(node, ast.MatchClass):
        return "`case` with a class", _VALUE
    if isinstance(node, ast.Global | ast.Nonlocal):
        return f"`{type(node).__name__.lower()} {', '.join(node.names)}`", _PURE
    if isinstance(node, ast.Try | ast.TryStar):
        return "`try`", "test with `if` before; what fails on unknown numbers would fail unseen"
    if isinstance(node, ast.With | ast.AsyncWith):
        return "`with`", "test with `if` before; what fails on unknown numbers could fail unseen"
    return None


def _none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _of_name(node: ast.AST, text: Text, own: set[str]) -> tuple[str, str] | None:
    if isinstance(node, ast.Attribute) and node.attr in HIDDEN:
        return f"`.{node.attr}`", _VALUE
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        fickle = [name for name in names if name.partition(".")[0] in FICKLE | {"builtins"}]
        return (f"`import {fickle[0]}`", _PURE) if fickle else None
    if not isinstance(node, ast.Name) or node.id in own:
        return None
    meant = text.stands_for(node.id)
    for name, instead in FORBIDDEN.items():
        if meant is getattr(builtins, name):
            return f"`{name}`", instead
    if meant is builtins or meant in (operator.is_, operator.is_not) or _home(meant) in FICKLE or _runs_out(meant):
        return f"`{node.id}`", _PURE
    return None


def _runs_out(value: Any) -> bool:
    """It gives something else each time it is asked."""
    return hasattr(value, "__next__")


def _home(value: Any) -> str:
    """The outermost module that something comes from; that of the object, for a method that is bound to one."""
    if isinstance(value, ModuleType):
        return value.__name__.partition(".")[0]
    bound: Any = getattr(value, "__self__", None)
    found = getattr(value, "__module__", None) or bound.__class__.__module__
    return found.partition(".")[0] if isinstance(found, str) else ""


def _of_change(node: ast.AST, own: set[str], name: str) -> tuple[str, str] | None:
    """An assignment, or a call, that changes what others hold as well."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        making = name in ("__init__", "__post_init__")
        return None if making else (f"`.{node.attr} = `", "return a new state: dataclasses.replace(state, …)")
    changed: ast.expr
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        changed = node.value
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        changed = node.func.value
    else:
        return None
    root = changed
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    if not isinstance(root, ast.Name) or (root.id in own and root is changed):
        return None
    return f"a change of `{ast.unparse(changed)}`", _PURE


# --------------------------------------------------------------------------------------- which functions are read


def _function(value: Any) -> FunctionType | None:
    """The Python function behind a method, a property, a partial or a cached one."""
    for name in ("__func__", "fget", "func", "__wrapped__"):
        inner: Any = getattr(value, name, None)
        if isinstance(inner, FunctionType | MethodType):
            return _function(inner)
    return value if isinstance(value, FunctionType) else None


def _pythons(function: FunctionType) -> bool:
    """It is of the standard library: what a dataclass with slots is given, say."""
    return _outermost(function.__globals__.get("__name__", "")) in sys.stdlib_module_names


def _outermost(module: str) -> str:
    return module.partition(".")[0]


def _foreign(module: str) -> bool:
    """Nobody's own steps: Python's, this project's."""
    return _outermost(module) in {"heaplaw", "builtins", *sys.stdlib_module_names}


def _members(kind: Any) -> Iterator[tuple[str, Any]]:
    """What a class defines, with its parents; not what Python makes of a dataclass, which has no file."""
    for each in kind.__mro__:
        if not _foreign(each.__module__):
            yield from each.__dict__.items()


def _reached(text: Text, classes: tuple[type[Any], ...]) -> Iterator[Any]:
    """What a function may call: what it names, and the methods and properties of these classes that it names."""
    home = text.function.__module__
    attributes = {each.attr for each in text.body if isinstance(each, ast.Attribute)}
    for meant in text.met:
        if isinstance(meant, type):
            if not _foreign(meant.__module__) and not issubclass(meant, BaseException | Enum):
                yield from (value for name, value in _members(meant) if name in attributes or meant not in classes)
        elif isinstance(meant, ModuleType) and not _foreign(meant.__name__):
            yield from (getattr(meant, name, None) for name in sorted(attributes))
        elif getattr(meant, "__module__", None) == home or not _foreign(str(getattr(meant, "__module__", "builtins"))):
            yield meant
    for each in classes:
        yield from (value for name, value in _members(each) if name in attributes)


def fault(functions: Mapping[str, Callable[..., Any]], thing: Any, state: type[Any]) -> str:
    """What the text of these functions, of the state's class and of what they call has that it may not have: one line;
    empty where there is nothing.
    """
    whole: type[Any] = thing if isinstance(thing, type) else type(thing)
    classes = (state, whole)
    pending: list[Any] = [*functions.values(), *(value for _, value in _members(state))]
    seen: set[int] = set()
    while pending:
        function = _function(pending.pop(0))
        if function is None or id(function) in seen or function.__name__ in TEXT or _pythons(function):
            continue
        seen.add(id(function))
        text = text_of(function)
        if text is None:
            continue
        for found in complaints(text):
            place = f"{Path(function.__code__.co_filename).name}:{found.line}"
            return f"{place}: {function.__name__} has {found.what}, which no proof can follow: {found.instead}"
        pending.extend(_reached(text, classes))
    return ""


__all__ = ["Complaint", "Text", "complaints", "fault", "text_of"]
