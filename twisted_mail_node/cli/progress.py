"""How far long work is: a bar where somebody looks, lines where nobody does, nothing for a program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from .journey import LINE_SECONDS


class Telling:
    """Takes what is done; see `telling`."""

    def tell(self, what: str, done: int, of: int) -> None:
        """So much of `of` is done of `what`."""


class _Bar(Telling):
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)
        self._what = ""

    def tell(self, what: str, done: int, of: int) -> None:
        """See Telling."""
        if what != self._what:
            self._what = what
            self._progress.reset(self._task, description=what, total=of or None)
        self._progress.update(self._task, completed=done, total=of or None)


class _Lines(Telling):
    def __init__(self) -> None:
        self._told_at = monotonic()

    def tell(self, what: str, done: int, of: int) -> None:
        """See Telling."""
        now = monotonic()
        if now - self._told_at >= LINE_SECONDS:
            self._told_at = now
            click.echo(f"{what}: {100 * done // of if of else 0}%", err=True)


@contextmanager
def telling(quiet: bool) -> Iterator[Telling]:
    """What to tell of progress, on standard error."""
    console = Console(stderr=True)
    if quiet:
        yield Telling()
    elif not console.is_terminal:
        yield _Lines()
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
            yield _Bar(bar)
