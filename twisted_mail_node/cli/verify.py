"""`mailnode verify`: is all of the mail there, and what was received?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from ..node.config import Config
from ..node.safekeeping.engines import sqlite_only
from ..node.safekeeping.verifying import Repair, findings
from ..store.sql.verification import Finding, Scope
from .output import show_table
from .progress import telling
from .session import REFUSED, Session, json_option, pass_session

LISTED = 1000
"""Findings that are listed one by one; the rest is counted."""

_COLUMNS = {"place": "where", "meaning": "what it means", "detail": "found", "remedy": "remedy"}


@click.command()
@click.option("--fast", is_flag=True, help="Leave the octets of messages alone.")
@click.option("--account", metavar="NAME@DOMAIN", help="Look at one account only.")
@click.option("--repair", is_flag=True, help="Mend what can be mended without loss, while no node runs.")
@json_option
@pass_session
def verify(session: Session, fast: bool, account: str | None, repair: bool, as_json: bool) -> None:
    """
    Look at every reference, count and hash of the store, also while the node runs. Nothing is changed.

    Exit status 1 when something was found that is not mended.
    """
    scope = Scope(fast=fast, account=account)
    if repair:
        with session.store_at_rest() as (config, database):
            sqlite_only(config)
            left, mended = _repaired(config, database, _found(config, database, scope, as_json))
    else:
        with session.store_in_use() as (config, database):
            left, mended = _found(config, database, scope, as_json), []
    _show(left, mended, as_json)
    if left:
        raise SystemExit(REFUSED)


def _found(config: Config, database: Path, scope: Scope, quiet: bool) -> list[Finding]:
    with telling(quiet) as progress:
        return list(findings(config, database, scope, progress.tell))


def _repaired(config: Config, database: Path, found: Iterable[Finding]) -> tuple[list[Finding], list[Finding]]:
    left: list[Finding] = []
    mended: list[Finding] = []
    repair = Repair(config, database)
    try:
        for finding in found:
            (mended if repair.mend(finding) else left).append(finding)
    finally:
        repair.close()
    return left, mended


def _show(left: list[Finding], mended: list[Finding], as_json: bool) -> None:
    rows = [
        {
            "kind": finding.kind.name.lower(),
            "place": finding.place,
            "detail": finding.detail,
            "meaning": finding.kind.meaning,
            "remedy": finding.kind.remedy,
        }
        for finding in left[:LISTED]
    ]
    if as_json:
        click.echo(json.dumps({"findings": rows, "count": len(left), "mended": len(mended)}, ensure_ascii=False))
        return
    if rows:
        show_table(rows, False, _COLUMNS)
    if len(left) > LISTED:
        click.echo(f"and {len(left) - LISTED} more")
    if mended:
        click.echo(f"{len(mended)} mended")
    if not left:
        click.echo("all is well")
