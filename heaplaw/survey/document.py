"""A survey as a JSON document: the facts of its tables, for programs."""

from typing import Any

from heaplaw.schemas import envelope

from .facts import Survey, Surveyed, judged

__all__ = ["document"]


def document(found: Survey, code: int) -> dict[str, Any]:
    """The document, which ends with the command's exit code."""
    return envelope(
        "survey",
        {
            "seed": found.seed,
            "operations": found.operations,
            "interrupted": found.interrupted,
            "allocators": [_allocator(one) for one in found.allocators],
            "deviations": [
                {
                    "letter": one.letter,
                    "law": _named(one.law),
                    "allocators": list(one.names),
                    "reason": one.reason,
                    "issues": list(one.issues),
                    "clauses": list(one.clauses),
                }
                for one in found.deviations()
            ],
            "exit_code": code,
        },
    )


def _allocator(one: Surveyed) -> dict[str, Any]:
    report = one.report
    return {
        "name": one.name,
        "identity": one.identity,
        "shape": one.shape,
        "package": one.package or None,
        "package_version": one.package_version or None,
        "dialects": list(one.dialects),
        "absent": one.absent or None,
        "operations": report["operations"] if report else 0,
        "laws": [{**_named(law), "outcome": law["outcome"]} for law in one.laws.values()],
        "clauses": [
            {**_named(law), "answers": list(answers), "forbidden": list(forbidden), "allowed": list(allowed)}
            for law in one.laws.values()
            if law["clauses"]
            for answers, forbidden, allowed in judged(law)
        ],
        "gone": [law["id"] for law in one.gone],
        "exit_code": report["exit_code"] if report else None,
    }


def _named(law: Any) -> dict[str, str]:
    return {"id": law["id"], "name": law["name"]}
