"""Tracing: a record of 64 bytes for every live block."""

from .patch import Patch

__all__ = ["TRACE"]

_TRACING = "system/tracing.py"
_RECORDS = "system/records.py"
_WRONG = ("failure_is_reported", "free_is_served", "stats_exact", "leak_report_exact", "overhead_bounded", "tags_exact")

TRACE = (
    Patch(
        "ref-trace-record-kept", _TRACING,
        "        super()._give(ptr, held)\n        self._records.cancel(self._unrecord(ptr))\n",
        "        super()._give(ptr, held)\n        self._by_address.pop(ptr)\n",
        "leak_report_exact", "the record of a freed block stays: a leak is invented",
    ),
    Patch(
        "ref-trace-newest-lost", _RECORDS,
        "            self._newest = older\n", "            self._newest = 0\n",
        "leak_report_exact", "ending the newest block empties the list: leaks are missed",
        _WRONG,
    ),
    Patch(
        "ref-trace-link-forward", _RECORDS,
        "            self._put(older, Field.NEWER, newer)\n", "            self._put(older, Field.NEWER, 0)\n",
        "leak_report_exact", "the record before a removed one counts as the newest",
        _WRONG,
    ),
    Patch(
        "ref-trace-link-back", _RECORDS,
        "            self._put(newer, Field.OLDER, older)\n", "            self._put(newer, Field.OLDER, 0)\n",
        "leak_report_exact", "records before a removed one are missed",
        _WRONG,
    ),
    Patch(
        "ref-trace-old-size", _TRACING,
        "            self._record(self._unrecord(ptr), new, size, note)\n",
        "            self._record(self._unrecord(ptr), new, held.size, note)\n",
        "leak_report_exact", "a resized block is listed with its old size",
    ),
    Patch(
        "ref-trace-realloc-twice", _TRACING,
        "            self._record(self._unrecord(ptr), new, size, note)\n",
        "            self._record(self._records.reserve(), new, size, note)\n",
        "leak_report_exact", "a resize makes a new record and leaves the old one: it counts twice",
        _WRONG,
    ),
    Patch(
        "ref-trace-line-lost", _TRACING,
        "Leak(ptr, size, file, line, note.tag,", "Leak(ptr, size, file, line // 10, note.tag,",
        "leak_report_exact", "lines are cut to fewer digits",
    ),
    Patch(
        "ref-trace-tag-is-file", _RECORDS,
        "leak.line, texts.number(leak.tag), leak", "leak.line, texts.number(leak.file), leak",
        "leak_report_exact", "the file stands where the tag should",
    ),
    Patch(
        "ref-trace-texts-by-length", _RECORDS,
        "        return self._numbers[text]\n", "        return min(self._numbers[text], 2)\n",
        "leak_report_exact", "all texts but the first two have one number",
    ),
    Patch(
        "ref-trace-scope-keeps-records", _TRACING,
        "        super()._unwind(dying, mark)\n        for ptr, _ in dying:\n",
        "        super()._unwind(dying, mark)\n        for ptr, _ in dying[1:]:\n",
        "leak_report_exact", "leaving a scope keeps the newest block's record",
        _WRONG,
        subjects=("trace-arena",),
    ),
    Patch(
        "ref-trace-order-lost", _RECORDS,
        "        self._newest = record\n", "        self._newest = max(record, self._newest)\n",
        "leak_report_exact", "the newest record is taken to be the one at the highest address",
        _WRONG,
    ),
)  # fmt: skip
