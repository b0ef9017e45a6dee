"""`mailnode domain`: the domains at home here. They are set in the configuration."""

from __future__ import annotations

import click

from .output import show_table
from .session import Session, json_option, pass_session


@click.group()
def domain() -> None:
    """Whose mail is at home here, by configuration."""


@domain.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the domains, with how many users and aliases each has."""
    columns = {"name": "domain", "users": "users", "aliases": "aliases"}
    show_table(session.perform("domain.list"), as_json, columns, numbers=("users", "aliases"))
