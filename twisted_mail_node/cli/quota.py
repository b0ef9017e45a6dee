"""`mailnode quota`: how much accounts hold, and how much they may."""

from __future__ import annotations

from typing import Any

import click

from ..node.config.values import octets_of
from .output import show, show_table
from .session import Session, json_option, pass_session

_UNLIMITED = "none"
_COLUMNS = {
    "name": "account",
    "size": "octets",
    "size_limit": "may be",
    "messages": "messages",
    "messages_limit": "may be",
    "own": "own limits",
}
_NUMBERS = ("size", "size_limit", "messages", "messages_limit")


class _SizeType(click.ParamType[tuple[int | None]]):
    """A size, or `none`: None."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int | None]:
        """See ParamType. In a tuple, since None is what click has for an option that was not given."""
        if value == _UNLIMITED:
            return (None,)
        try:
            return (octets_of(value),)
        except ValueError as error:
            self.fail(f"allowed: {error}, or {_UNLIMITED}", param, ctx)


class _CountType(click.ParamType[tuple[int | None]]):
    """A number, or `none`: None."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int | None]:
        """See ParamType. In a tuple, as a size."""
        if value == _UNLIMITED:
            return (None,)
        if not value.isascii() or not value.isdigit():
            self.fail(f"allowed: a number, or {_UNLIMITED}", param, ctx)
        return (int(value),)


@click.group()
def quota() -> None:
    """How much accounts hold, and how much they may."""


@quota.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List all accounts with what their mailboxes hold, and their limits: [quota] has those without own."""
    rows = session.perform("quota.list")
    if not as_json:
        rows = [row | {"own": "yes" if row["own"] else ""} for row in rows]
    show_table(rows, as_json, _COLUMNS, _NUMBERS)


@quota.command("set")
@click.argument("name", metavar="NAME@DOMAIN")
@click.option("--size", type=_SizeType(), metavar="SIZE|none", help='Of all messages, such as "2 GiB".')
@click.option("--messages", type=_CountType(), metavar="NUMBER|none", help="How many messages.")
@click.option("--default", is_flag=True, help="Take the own limits away: those of [quota] hold again.")
@json_option
@pass_session
def set_(
    session: Session,
    name: str,
    size: tuple[int | None] | None,
    messages: tuple[int | None] | None,
    default: bool,
    as_json: bool,
) -> None:
    """
    Give an account limits of its own. What is not said stays as it is.

    An account may be above its limits; then nothing comes in until it is not.
    """
    wanted = {"size": size, "messages": messages}
    given: dict[str, Any] = {key: value[0] for key, value in wanted.items() if value is not None}
    if bool(given) == default:
        raise click.UsageError("say --size or --messages, or --default alone")
    answer = session.perform("quota.set", name=name, **(given or {"default": True}))
    octets, count = answer["size_limit"], answer["messages_limit"]
    told = " and ".join(
        words for words, limit in ((f"{octets} octets", octets), (f"{count} messages", count)) if limit is not None
    )
    show(answer, as_json, f"{answer['name']} may hold {told or 'any number of messages'}")
