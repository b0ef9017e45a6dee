"""What is seen of mail on the move: a bar on a terminal, a line now and then elsewhere, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

LINE_SECONDS = 10.0
"""How often a line is written where there is no terminal."""

LINES_AT_MOST = 20
"""Messages that are told by name on standard error; `--json` tells more."""


class Journey:
    """
    Shows how far things have come, until the end of a `with` block. Where `quiet`, nothing is shown.

    `seconds` is the time since its beginning.
    """

    def __init__(self, quiet: bool) -> None:
        console = Console(stderr=True)
        self._begun = time.monotonic()
        self._messages = 0
        self._lines: _Lines | None = None
        self._bar: _Bar | None = None
        if not quiet:
            if console.is_terminal:
                self._bar = _Bar(console)
            else:
                self._lines = _Lines()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def begin(self, name: str, amount: int) -> None:
        """A mailbox is begun; `amount` is how much there is of it."""
        for shown in (self._bar, self._lines):
            if shown is not None:
                shown.begin(name, amount)

    def advance(self, amount: int, messages: int) -> None:
        """So much of it, and so many messages, are done."""
        self._messages += messages
        rate = self._messages / max(self.seconds, 0.001)
        for shown in (self._bar, self._lines):
            if shown is not None:
                shown.advance(amount, self._messages, rate)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.progress.stop()


class _Bar:
    """On a terminal."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[messages]:,} messages, {task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self.progress.add_task("", total=None, messages=0, rate=0.0)

    def begin(self, name: str, amount: int) -> None:
        self.progress.reset(self._task, total=amount, description=name)

    def advance(self, amount: int, messages: int, rate: float) -> None:
        self.progress.update(self._task, advance=amount, messages=messages, rate=rate)


class _Lines:
    """Into a file or a pipe."""

    def __init__(self) -> None:
        self._name = ""
        self._amount = self._done = 0
        self._begun = self._told = time.monotonic()

    def begin(self, name: str, amount: int) -> None:
        self._name, self._amount, self._done = name, amount, 0
        self._begun = time.monotonic()

    def advance(self, amount: int, messages: int, rate: float) -> None:
        self._done += amount
        now = time.monotonic()
        if now - self._told >= LINE_SECONDS:
            self._told = now
            left = (self._amount - self._done) * (now - self._begun) / max(self._done, 1)
            share = self._done / max(self._amount, 1)
            click.echo(f"{self._name}: {share:.0%}, {messages:,} messages, {rate:,.0f}/s, {left:.0f} s left", err=True)


def tell_each(heading: str, told: Sequence[tuple[str, str]], count: int) -> None:
    """Name messages, each with its reason, on standard error; `count` is how many there are in all."""
    if not count:
        return
    click.echo(f"{heading}: {count:,}", err=True)
    for name, reason in told[:LINES_AT_MOST]:
        click.echo(f"  {name}: {reason}", err=True)
    if count > LINES_AT_MOST:
        click.echo(f"  and {count - LINES_AT_MOST:,} more", err=True)
