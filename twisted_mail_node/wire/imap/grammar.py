"""
From the octets of a whole command to its value: the table of commands. Sources: RFC 3501 §9 and the extensions.

A new command is one line here, one in `states`, and a file in `commands`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from . import commands
from .commands import (
    acl,
    append,
    authenticate,
    compress,
    copy,
    create,
    delete,
    enable,
    expunge,
    fetch,
    id,
    language,
    list,
    login,
    metadata,
    quota,
    rename,
    search,
    select,
    status,
    store,
    subscribe,
)
from .enabled import Extension
from .refusal import BadSyntax
from .tokens import Tokens, tag_of

Parser = Callable[[bytes, Tokens], commands.Command]


def _bare(kind: Callable[[bytes], commands.Command]) -> Parser:
    return lambda tag, tokens: kind(tag)


PARSERS: dict[bytes, Parser] = {
    b"CAPABILITY": _bare(commands.Capability),
    b"NOOP": _bare(commands.Noop),
    b"LOGOUT": _bare(commands.Logout),
    b"ID": id.parse,
    b"LANGUAGE": language.parse,
    b"STARTTLS": _bare(commands.StartTLS),
    b"LOGIN": login.parse,
    b"AUTHENTICATE": authenticate.parse,
    b"ENABLE": enable.parse,
    b"UNAUTHENTICATE": _bare(commands.Unauthenticate),
    b"COMPRESS": compress.parse,
    b"NAMESPACE": _bare(commands.Namespace),
    b"IDLE": _bare(commands.Idle),
    b"SELECT": select.parse,
    b"EXAMINE": select.parse_examine,
    b"CREATE": create.parse,
    b"DELETE": delete.parse,
    b"RENAME": rename.parse,
    b"SUBSCRIBE": subscribe.parse,
    b"UNSUBSCRIBE": subscribe.parse_unsubscribe,
    b"LIST": list.parse,
    b"LSUB": list.parse_lsub,
    b"STATUS": status.parse,
    b"SETACL": acl.parse_set,
    b"DELETEACL": acl.parse_delete,
    b"GETACL": acl.parse_get,
    b"LISTRIGHTS": acl.parse_list_rights,
    b"MYRIGHTS": acl.parse_my_rights,
    b"GETMETADATA": metadata.parse,
    b"SETMETADATA": metadata.parse_set,
    b"GETQUOTA": quota.parse,
    b"GETQUOTAROOT": quota.parse_root,
    b"SETQUOTA": quota.parse_set,
    b"APPEND": append.parse,
    b"CHECK": _bare(commands.Check),
    b"CLOSE": _bare(commands.Close),
    b"UNSELECT": _bare(commands.Unselect),
    b"EXPUNGE": _bare(commands.Expunge),
    b"SEARCH": search.parse,
    b"FETCH": fetch.parse,
    b"STORE": store.parse,
    b"COPY": copy.parse,
    b"MOVE": copy.parse_move,
}
# What may follow `UID`. Sources: RFC 3501 §6.4.8, RFC 4315 §2.1, RFC 6851 §3.
UID_PARSERS: dict[bytes, Parser] = {
    b"SEARCH": partial(search.parse, by_uid=True),
    b"FETCH": partial(fetch.parse, by_uid=True),
    b"STORE": partial(store.parse, by_uid=True),
    b"COPY": partial(copy.parse, by_uid=True),
    b"MOVE": partial(copy.parse_move, by_uid=True),
    b"EXPUNGE": expunge.parse_uid,
}


def parse_head(data: bytes, enabled: Collection[Extension] = ()) -> tuple[bytes, bytes, Parser, Tokens]:
    """
    Read a command up to its arguments: its tag, its name without UID, what parses the rest, and the rest.

    `enabled` is what the client has enabled.

    Raises: BadSyntax: no tag, no command, or none that is known.
    """
    tag = tag_of(data)
    if tag is None:
        raise BadSyntax("a tag is missing")
    tokens = Tokens(data, len(tag), enabled)
    tokens.space()
    name = tokens.atom("a command").upper()
    parsers = PARSERS
    if name == b"UID":
        tokens.space()
        name = tokens.atom("a command").upper()
        parsers = UID_PARSERS
    parser = parsers.get(name)
    if parser is None:
        raise BadSyntax("unknown command")
    return tag, name, parser, tokens


def parse_command(data: bytes, enabled: Collection[Extension] = ()) -> commands.Command:
    """
    Parse a whole command, literals within, the last CRLF taken off.

    Raises: BadSyntax, Impossible.
    """
    tag, _, parser, tokens = parse_head(data, enabled)
    return finish(tag, parser, tokens)


def finish(tag: bytes, parser: Parser, tokens: Tokens) -> commands.Command:
    """Parse the arguments, after which nothing may follow. Raises: BadSyntax, Impossible."""
    command = parser(tag, tokens)
    tokens.end()
    return command
