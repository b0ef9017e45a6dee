"""How answers look: JSON for programs, tables and sentences for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click
from rich.console import Console
from rich.table import Table

from ..node.control.operations import JSON

PIPED_COLUMNS = 200
"""The width of a table that nobody looks at on a terminal."""


def show(answer: JSON, as_json: bool, sentence: str) -> None:
    """One answer: as JSON, or this sentence about it."""
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else sentence)


def show_table(
    rows: Sequence[Mapping[str, JSON]], as_json: bool, columns: Mapping[str, str], numbers: Sequence[str] = ()
) -> None:
    """Rows: as a JSON list, or as a table. `columns` maps keys to headings; columns in `numbers` end in line."""
    if as_json:
        click.echo(json.dumps(list(rows), ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key, heading in columns.items():
        table.add_column(heading, overflow="fold", justify="right" if key in numbers else "left")
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in columns))
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPED_COLUMNS
    console.print(table)


def _cell(value: JSON) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
