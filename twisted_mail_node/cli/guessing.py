"""`mailnode guessing`: who is slowed for failed logins."""

from __future__ import annotations

import click

from .output import show, show_table
from .session import Session, json_option, pass_session


@click.group()
def guessing() -> None:
    """Addresses and accounts whose logins are slowed, since too many have failed."""


@guessing.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List them, those with most failures first; failures fade, by half in ten minutes."""
    columns = {"address": "address", "account": "account", "failures": "failures", "delay": "seconds to wait"}
    show_table(session.perform("guessing.list"), as_json, columns, ("failures", "delay"))


@guessing.command()
@click.argument("name", metavar="ADDRESS|NAME@DOMAIN")
@json_option
@pass_session
def release(session: Session, name: str, as_json: bool) -> None:
    """Forget the failed logins of an IP address or of an account."""
    answer = session.perform("guessing.release", name=name)
    show(answer, as_json, f"failed logins of {answer['name']} are forgotten")
