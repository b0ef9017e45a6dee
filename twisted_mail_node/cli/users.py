"""`mailnode user`: accounts and their passwords."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import IO

import click
from rich.console import Console
from rich.progress import Progress

from ..node.control.access import Access
from ..node.control.client import NodeUnreachable
from ..node.control.operations import Refusal
from .app_passwords import app_password
from .output import show, show_table
from .session import Failed, Session, json_option, pass_session

HASHED_AT_ONCE = 32
"""Passwords hashed by one operation of an import; the progress bar moves that often."""

ADDED_AT_ONCE = 500
"""Users added by one operation of an import: so few that the node's other clients hardly notice."""

_GENERATED_OCTETS = 15


_generate_option = click.option("--generate", is_flag=True, help="Make a random password, and show it.")
_password_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


def _asked_password(password_stdin: bool, generate: bool) -> str:
    if password_stdin and generate:
        raise click.UsageError("--password-stdin and --generate exclude each other")
    if generate:
        return secrets.token_urlsafe(_GENERATED_OCTETS)
    if password_stdin:
        line = sys.stdin.buffer.readline().decode("utf-8", "surrogateescape")
        return line.rstrip("\r\n")
    try:
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("nobody can be asked here: say --password-stdin or --generate") from None


@click.group()
def user() -> None:
    """Who can log in, each with mailboxes."""


user.add_command(app_password)


@user.command()
@click.argument("name", metavar="NAME@DOMAIN")
@_password_stdin_option
@_generate_option
@json_option
@pass_session
def add(session: Session, name: str, password_stdin: bool, generate: bool, as_json: bool) -> None:
    """Add a user, with INBOX and the configured mailboxes."""
    password = _asked_password(password_stdin, generate)
    answer = session.perform("user.add", name=name, password=password)
    shown = {"password": password} if generate else {}
    told = f", password: {password}" if generate else ""
    show(answer | shown, as_json, f"user {answer['name']} added{told}")


@user.command()
@click.argument("name", metavar="NAME@DOMAIN")
@_password_stdin_option
@_generate_option
@json_option
@pass_session
def passwd(session: Session, name: str, password_stdin: bool, generate: bool, as_json: bool) -> None:
    """Give a user another password."""
    password = _asked_password(password_stdin, generate)
    answer = session.perform("user.passwd", name=name, password=password)
    shown = {"password": password} if generate else {}
    told = f": {password}" if generate else ""
    show(answer | shown, as_json, f"user {answer['name']} has a new password{told}")


@user.command()
@click.argument("name", metavar="NAME@DOMAIN")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_session
def remove(session: Session, name: str, yes: bool, as_json: bool) -> None:
    """Remove a user with all their mail."""
    if not yes and not as_json and sys.stdin.isatty():
        click.confirm(f"Remove {name} and all mail of this user?", abort=True)
    answer = session.perform("user.remove", name=name)
    show(answer, as_json, f"user {answer['name']} removed")


@user.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List all users."""
    rows = session.perform("user.list")
    if not as_json:
        rows = [row | {"scram": "yes" if row["scram"] else ""} for row in rows]
    show_table(rows, as_json, {"name": "user", "scram": "scram"})


@user.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
@json_option
@pass_session
def import_(session: Session, file: IO[str], as_json: bool) -> None:
    """
    Add users from FILE ("-": standard input), a line NAME@DOMAIN:PASSWORD each.

    Empty lines and lines that begin with "#" are passed over. Where a line can't be used, all such lines are told
    and nobody is added.
    """
    entries, mistakes = _read(file)
    with session.access() as access:
        names = [name for _, name, _ in entries]
        for found in access.perform("user.check", {"names": names}):
            mistakes.append((entries[found["position"]][0], found["reason"]))
        if mistakes:
            lines = [f"{file.name}:{number}: {reason}" for number, reason in sorted(mistakes)]
            raise Failed("\n".join([*lines, "nobody was added"]))
        try:
            _add_all(access, [(name, password) for _, name, password in entries], quiet=as_json)
        except (Refusal, NodeUnreachable) as error:
            raise Failed(f"{error}; nobody was added") from error
    show({"count": len(entries)}, as_json, f"{len(entries)} users added")


def _read(file: IO[str]) -> tuple[list[tuple[int, str, str]], list[tuple[int, str]]]:
    """(line number, name, password) of each user; (line number, reason) of each line that has none."""
    entries, mistakes = [], []
    try:
        for number, line in enumerate(file, 1):
            text = line.rstrip("\r\n")
            if not text.strip() or text.startswith("#"):
                continue
            name, colon, password = text.partition(":")
            if not colon or not password:
                mistakes.append((number, "expected NAME@DOMAIN:PASSWORD"))
            else:
                entries.append((number, name.strip(), password))
    except UnicodeDecodeError as error:
        raise Failed(f"{file.name}: not UTF-8: {error}") from error
    return entries, mistakes


def _add_all(access: Access, users: Sequence[tuple[str, str]], quiet: bool) -> None:
    """All of them, or none where one fails: first all hashes, which takes long and changes nothing."""
    console = Console(stderr=True)
    hashed: list[tuple[str, str]] = []
    progress = Progress(console=console, transient=True)
    # A disabled one still ends a line in some versions of rich.
    with nullcontext() if quiet or not console.is_terminal else progress:
        task = progress.add_task("hashing passwords", total=len(users))
        for batch in _batches(users, HASHED_AT_ONCE):
            hashes = access.perform("user.hash", {"passwords": [password for _, password in batch]})
            hashed += zip((name for name, _ in batch), hashes, strict=True)
            progress.advance(task, len(batch))
    added: list[str] = []
    try:
        for ready in _batches(hashed, ADDED_AT_ONCE):
            access.perform("user.import", {"users": ready})
            added += [name for name, _ in ready]
    except BaseException:
        for name in added:
            access.perform("user.remove", {"name": name})
        raise


def _batches(users: Sequence[tuple[str, str]], size: int) -> Iterator[Sequence[tuple[str, str]]]:
    for start in range(0, len(users), size):
        yield users[start : start + size]
