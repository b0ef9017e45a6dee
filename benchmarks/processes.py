"""What a server's processes have cost: CPU seconds and memory of a process tree, read from /proc."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))):
            children.setdefault(int(stat[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(roots: list[int]) -> float:
    """User and system time of the trees, those of children that have ended and were reaped counted in."""
    ticks = 0
    for root in roots:
        for pid in tree(root):
            if stat := _stat(pid):
                ticks += sum(int(field) for field in stat[11:15])
    return ticks / _TICKS


def pss_kib(roots: list[int]) -> int:
    """Proportional set size of the trees in KiB: shared pages are counted once in all."""
    total = 0
    for root in roots:
        for pid in tree(root):
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total
