"""
From a configuration to a node: the one place where concrete rooms are named and joined.

No globals: whatever a node needs it is given here, so several live in one process. The parts: `storage`,
`incoming`, `outgoing`, `offering`. Neighbours: `service` runs what is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import gatherResults, maybeDeferred

from ..auth.portal import make_portal
from ..interfaces.policy import ISMTPPolicy
from ..mail.envelope import Service
from .config import Config
from .connection_limits import ConnectionLimits
from .control.arguments import Operation
from .control.certificates import Certificates
from .control.guessing import GuessingDesk
from .control.operations import Operations
from .control.quota import QuotaDesk
from .credentials import check_sources, make_credentials
from .doors import Doors, Storage, complete
from .incoming import make_incoming
from .listening import Listening
from .offering import Offering
from .outgoing import OWNER, make_outgoing
from .safekeeping.backups import Backups
from .service import MailNode, Rooms, Step
from .state import StateFolder
from .storage import Reactor, make_passwords, make_storage, try_file, try_storage
from .tls import Renewal, ServerTLS


def assemble(
    config: Config,
    *,
    reactor: Reactor,
    storage: Storage | None = None,
    checkers: Sequence[ICredentialsChecker] | None = None,
    policies: Sequence[ISMTPPolicy] = (),
) -> MailNode:
    """
    A node, not started: a twisted.application service. `node.listeners` tells its ports once it is.

    Args:
        config: see `load_config` and `parse_config`.
        reactor: runs it.
        storage: the durable doors, in place of the configured store. `Storage(store)` is enough: see docs/backends.md.
        checkers: prove identities, in place of the directory's passwords; avatar ids are accounts' names.
        policies: asked about incoming mail before the node's own.

    Raises: CannotStart: what LDAP or OAuth needs is not there, or not what it has to be.
    """
    state = StateFolder(config.state_dir)
    doors = _doors(config, state, reactor, storage)
    passwords, threads = make_passwords(config, reactor)
    credentials = make_credentials(config, doors.directory, passwords, threads, reactor)
    doors = replace(doors, directory=credentials.directory)
    portal = make_portal(
        doors.store, doors.directory, passwords, credentials.checkers if checkers is None else checkers
    )
    tls = ServerTLS(reactor)
    renewal = Renewal(reactor, tls)
    limits = ConnectionLimits(
        config.limits.connections, config.limits.connections_per_address, config.limits.trusted_networks
    )
    incoming = make_incoming(config, doors, reactor, policies)
    offering = Offering(config, reactor, doors, portal, incoming, tls, state.decoy_key)
    listening, goodbye = _places(config, reactor, offering, limits, tls)
    outgoing = make_outgoing(
        config,
        doors,
        reactor,
        incoming,
        lambda: [place.listener for place in listening if place.is_bound],
        state.node_id if config.store.kind == "postgres" else lambda: OWNER,
    )
    rooms = Rooms(
        storage=doors,
        try_storage=_trial(config, state, doors, is_given=storage is not None),
        hasher=passwords,
        threads=threads,
        tls=tls,
        renewal=renewal,
        limits=limits,
        listening=listening,
        operations=Operations(
            config,
            doors.directory,
            doors.queue,
            passwords,
            reactor.seconds,
            state.forget_first_password,
            outgoing.forget_failures,
            _desks(config, doors, offering, tls, renewal),
            credentials.verifiers,
        ),
        goodbye=goodbye,
        start_sending=outgoing.start,
        stop_sending=outgoing.stop,
        stop_asking=lambda: gatherResults([maybeDeferred(outgoing.stop_asking), credentials.stop()]),
    )
    return MailNode(config, reactor, state, rooms)


def _doors(config: Config, state: StateFolder, reactor: Reactor, storage: Storage | None) -> Doors:
    if storage is None:
        return make_storage(config, state.database, reactor)
    return complete(storage, state.spool, reactor, config.store.remembered)


def _desks(config: Config, doors: Doors, offering: Offering, tls: ServerTLS, renewal: Renewal) -> dict[str, Operation]:
    """What the operator can do beside what is done with the directory and the queue, by name."""
    return {
        **Backups(config, doors.store).by_name,
        **Certificates(tls, renewal).by_name,
        **GuessingDesk(offering.attempts).by_name,
        **QuotaDesk(doors.store).by_name,
    }


def _places(
    config: Config, reactor: Reactor, offering: Offering, limits: ConnectionLimits, tls: ServerTLS
) -> tuple[list[Listening], list[Step]]:
    """The listeners, none of which is bound yet, and how the clients of each are told that the node stops."""
    listening: list[Listening] = []
    goodbye: list[Step] = []
    for listen in config.listeners():
        factory = offering.factory(listen)
        limited = limits.limited(factory, Service(listen.service))
        listening.append(Listening(reactor, listen, limited, tls, config.state_dir, config.proxy.trusted))
        goodbye.append(factory.close_all)
    return listening, goodbye


def _trial(config: Config, state: StateFolder, doors: Doors, *, is_given: bool) -> Callable[[], None]:
    """What tells before the reactor runs whether the storage can be opened; of an application's own, only our part."""

    def try_all() -> None:
        check_sources(config)
        if not is_given:
            try_storage(config, state.database)
        if doors.spool is not None:
            try_file(state.spool)

    return try_all
