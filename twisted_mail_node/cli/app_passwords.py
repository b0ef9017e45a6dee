"""`mailnode user app-password`: a password for each of a user's programs."""

from __future__ import annotations

import click

from .output import show, show_table
from .session import Session, json_option, pass_session


@click.group("app-password")
def app_password() -> None:
    """A user's passwords for one program each: made here, shown once, revoked one by one."""


@app_password.command()
@click.argument("name", metavar="NAME@DOMAIN")
@click.argument("label", metavar="LABEL")
@json_option
@pass_session
def add(session: Session, name: str, label: str, as_json: bool) -> None:
    """Make one, called LABEL, and show it. It can't be shown again."""
    answer = session.perform("user.app-password.add", name=name, label=label)
    show(answer, as_json, f"app password {answer['label']} of {answer['name']}: {answer['password']}")


@app_password.command("list")
@click.argument("name", metavar="NAME@DOMAIN")
@json_option
@pass_session
def list_(session: Session, name: str, as_json: bool) -> None:
    """List them, with the day of their last use."""
    rows = session.perform("user.app-password.list", name=name)
    show_table(rows, as_json, {"label": "label", "created": "created", "last_used": "last used"})


@app_password.command()
@click.argument("name", metavar="NAME@DOMAIN")
@click.argument("label", metavar="LABEL")
@json_option
@pass_session
def revoke(session: Session, name: str, label: str, as_json: bool) -> None:
    """Take one back. Sessions that logged in with it go on until they end."""
    answer = session.perform("user.app-password.revoke", name=name, label=label)
    show(answer, as_json, f"app password {answer['label']} of {answer['name']} revoked")
