"""The catalogue in words, from the code."""

import difflib
from dataclasses import is_dataclass

from heaplaw.spec.catalogue import CATALOGUE, law
from heaplaw.spec.law import AnyLaw

from .subjects import UsageError


def catalogue_text() -> list[str]:
    """A line a law."""
    ordered = sorted(CATALOGUE.values(), key=lambda item: item.id)
    return [f"{item.id}  {item.name:<27} {item.sentence}" for item in ordered]


def law_text(name: str) -> list[str]:
    """One law: sentence, source, where it applies, an example that keeps it and one that breaks it."""
    try:
        found = law(name)
    except KeyError:
        known = [word for item in CATALOGUE.values() for word in (item.name, item.id)]
        close = difflib.get_close_matches(name, known, 3, 0.4)
        meant = f"; did you mean {', '.join(close)}?" if close else ""
        raise UsageError(f"{name}: no such law{meant} (`heaplaw laws` lists them)") from None
    lines = [f"{found.id}  {found.name}", f"  {found.sentence}", "", f"  source    {found.source}"]
    lines += [f"  {dialect:<9} {clause}" for dialect, clause in found.dialects.items()]
    lines += [
        f"  shapes    {', '.join(sorted(found.shapes)) or 'none: it is on layouts'}",
        f"  judges    one {found.scope.value} at a time",
    ]
    if found.needs:
        lines.append(f"  needs     {', '.join(sorted(found.needs))}; not applicable without")
    return [*lines, *examples(found), ""]


def examples(found: AnyLaw) -> list[str]:
    """What the law's own functions say of its examples."""
    kept, broken = found.accepts[0], found.rejects[0]
    return [
        f"  kept by   {brief(kept)}",
        f"  broken by {brief(broken)}",
        f"            observed {found.observed(*broken)}; required {found.required(*broken)}",
    ]


def brief(values: tuple[object, ...]) -> str:
    """Records with the fields that differ from the defaults."""
    texts: list[str] = []
    for value in values:
        kind = type(value)
        defaults = {name: field.default for name, field in kind.__dataclass_fields__.items()}  # type: ignore[attr-defined]
        shown = [
            f"{name}={words(name, got)}" for name, got in vars(value).items() if got != defaults[name] and name != "env"
        ]
        texts.append(f"{kind.__name__}({', '.join(shown)})")
    return ", ".join(texts)


def words(name: str, value: object) -> str:
    """A field's value: names for kinds, hexadecimal for addresses, records briefly."""
    if is_dataclass(value):
        return brief((value,))
    label = getattr(value, "name", None)
    if label:
        return str(label)
    return hex(value) if name in ("ptr", "first_fit") and isinstance(value, int) else str(value)
