"""
Where users' credentials are, as the configuration wants it: the checkers of the portal, and who exists.

Decides the order: the node's own users, the passwd file, LDAP. Neighbours: `auth` has the sources and checkers;
`assemble` puts the portal together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, maybeDeferred

from ..auth.app_passwords import AppPasswords
from ..auth.certificates import CertificateChecker
from ..auth.checker import PasswordChecker, PasswordSource
from ..auth.directory import DirectoryPasswords
from ..auth.joined import JoinedDirectory, UserSource, Welcoming
from ..auth.passwd_file import PasswdFile, read_passwd
from ..auth.passwords import Passwords
from ..auth.scram import ScramChecker
from ..auth.threads import HashingThreads
from ..auth.tokens import TokenChecker
from ..auth.verifiers import Verifiers
from ..interfaces.credentials import app_passwords_of, verifiers_of
from ..interfaces.deferred import returns_deferred
from ..interfaces.store import IDirectory
from ..mail.scram import ScramHash
from .config import Config
from .errors import CannotStart, reason
from .storage import Reactor

# Any: whatever it gives.
_Stop = Callable[[], Deferred[Any] | None]


class _Source(PasswordSource, UserSource, Protocol):
    """Knows users and their passwords."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What proves who somebody is.

    Attributes:
        directory: who exists, wherever that is known.
        checkers: of the portal.
        verifiers: makes SCRAM verifiers of new passwords; None where none are wanted.
        stop: hangs up on servers that were asked.
    """

    directory: IDirectory
    checkers: Sequence[ICredentialsChecker]
    verifiers: Verifiers | None
    stop: Callable[[], Deferred[None]]


def make_credentials(
    config: Config, directory: IDirectory, passwords: Passwords, threads: HashingThreads, reactor: Reactor
) -> Credentials:
    """The credentials of a node whose own users are in `directory`."""
    verifiers = make_verifiers(config, directory, threads)
    others, stops = _other_sources(config, passwords, threads, reactor)
    joined = JoinedDirectory(directory, others, config.new_mailboxes)
    kept = app_passwords_of(directory)
    app_passwords = None if kept is None else AppPasswords(joined, kept, reactor.seconds)
    own = DirectoryPasswords(directory, passwords, verifiers)
    checkers: list[ICredentialsChecker] = [
        PasswordChecker([own, *(Welcoming(source, joined) for source in others)], passwords, app_passwords),
        CertificateChecker(joined),
    ]
    if verifiers is not None:
        checkers.append(ScramChecker(verifiers))
    if config.auth.oauth is not None:
        from .oauth import make_oauth

        tokens, web = make_oauth(config, config.auth.oauth, joined, threads, reactor)
        checkers.append(TokenChecker(tokens, config.auth.oauth.scope, config.auth.oauth.configuration_url))
        stops.append(web.stop)

    @returns_deferred
    async def stop() -> None:
        for each in stops:
            await maybeDeferred(each)

    return Credentials(joined, checkers, verifiers, stop)


def check_sources(config: Config) -> list[str]:
    """
    What is wrong with lines of the passwd file, a sentence each; they are passed over.

    Raises: CannotStart: it can't be read.
    """
    path = config.auth.passwd_file
    if path is None:
        return []
    try:
        content = read_passwd(path, config.domains)
    except OSError as error:
        raise CannotStart(f"the passwd file {path} can't be read: {reason(error)}") from error
    except ValueError as error:
        raise CannotStart(f"the passwd file {path} can't be read: {error}") from error
    return [f"{path}, line {number}: {mistake}" for number, mistake in content.mistakes]


def check_servers(config: Config) -> Iterator[str]:
    """A sentence for each of LDAP and OAuth that can't be used as it is configured. Nobody is asked."""
    try:
        if config.auth.ldap is not None:
            from .ldap import check_ldap

            check_ldap(config, config.auth.ldap)
    except CannotStart as error:
        yield str(error)
    try:
        if config.auth.oauth is not None:
            from .oauth import check_oauth

            check_oauth(config.auth.oauth)
    except CannotStart as error:
        yield str(error)


def _other_sources(
    config: Config, passwords: Passwords, threads: HashingThreads, reactor: Reactor
) -> tuple[list[_Source], list[_Stop]]:
    """The sources beside the node's own users, in order, and what ends their work."""
    sources: list[_Source] = []
    stops: list[_Stop] = []
    if config.auth.passwd_file is not None:
        sources.append(PasswdFile(config.auth.passwd_file, config.domains, passwords, threads, reactor))
    if config.auth.ldap is not None:
        from .ldap import make_ldap

        users, pool = make_ldap(config, config.auth.ldap, reactor)
        sources.append(users)
        stops.append(pool.stop)
    return sources, stops


def make_verifiers(config: Config, directory: IDirectory, threads: HashingThreads) -> Verifiers | None:
    """What makes and reads SCRAM verifiers, where the configuration wants any and the directory keeps them."""
    keeping = verifiers_of(directory)
    if not config.auth.scram or keeping is None:
        return None
    hashes = [ScramHash(name.upper()) for name in config.auth.scram]
    return Verifiers(directory, keeping, threads, hashes, config.auth.scram_iterations)
