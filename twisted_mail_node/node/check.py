"""Whether a node would start: everything that stands in its way, found without changing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from twisted.internet.defer import gatherResults
from twisted.internet.protocol import Factory

from .blocking import wait_for
from .config import Config
from .config.endpoint import EndpointParts, resolved_endpoint, split_endpoint
from .control.client import NodeConnection, NodeUnreachable
from .credentials import check_servers, check_sources
from .errors import CannotStart
from .first_start import own_settings
from .listening import Listening, check_unix_path
from .state import StateFolder
from .storage import Reactor, examine_storage
from .tls import ServerTLS, check_trusted_certificates, load_contexts, warnings_of


def problems_of(config: Config) -> list[str]:
    """A sentence for each problem; none: it would start. Ports are not tried while a node runs, which has them."""
    state = StateFolder(config.state_dir)
    problems = [
        *_of_certificates(config, state),
        *_of_credentials(config),
        *_of_folder(state),
        *_of_paths(config, state),
    ]
    if not _is_running(state):
        problems += [*_of_storage(config, state), *_of_ports(config)]
    return list(dict.fromkeys(problems))


def warnings(config: Config, now: datetime) -> list[str]:
    """
    A sentence for each thing that does not stand in the way and wants to be known: certificates that end soon, lines of
    the passwd file that can't be used.
    """
    told: list[str] = []
    # What fails here is a problem, and told as such.
    if config.tls is not None:
        with suppress(CannotStart):
            told += warnings_of(load_contexts(config.tls).pairs, now)
    with suppress(CannotStart):
        told += check_sources(config)
    return told


def _of_certificates(config: Config, state: StateFolder) -> Iterator[str]:
    try:
        if config.tls is not None:
            load_contexts(config.tls)
        elif config.without_file and state.certificate.exists() and state.private_key.exists():
            load_contexts(own_settings(state))
    except CannotStart as error:
        yield str(error)
    try:
        check_trusted_certificates(config.relay.trusted_certificates)
    except CannotStart as error:
        yield str(error)


def _of_storage(config: Config, state: StateFolder) -> Iterator[str]:
    try:
        examine_storage(config, state.database)
    except CannotStart as error:
        yield str(error)


def _of_credentials(config: Config) -> Iterator[str]:
    try:
        check_sources(config)
    except CannotStart as error:
        yield str(error)
    yield from check_servers(config)


def _of_folder(state: StateFolder) -> Iterator[str]:
    if state.path.is_dir():
        if not os.access(state.path, os.R_OK | os.W_OK | os.X_OK):
            yield f"the state folder {state.path} can't be written: permission denied"
    elif state.path.exists():
        yield f"the state folder {state.path} can't be made: there is a file of that name"
    elif not os.access(state.path.parent, os.W_OK | os.X_OK):
        why = "permission denied" if state.path.parent.is_dir() else f"there is no folder {state.path.parent}"
        yield f"the state folder {state.path} can't be made: {why}"


def _of_paths(config: Config, state: StateFolder) -> Iterator[str]:
    try:
        check_unix_path(EndpointParts("unix", False, (str(state.control_socket),), ()), "the node's control socket")
    except CannotStart as error:
        yield str(error)
    for listen in config.listeners():
        try:
            check_unix_path(resolved_endpoint(listen.endpoint, config.state_dir, Path.cwd()), listen.service)
        except CannotStart as error:
            yield str(error)


def _is_running(state: StateFolder) -> bool:
    try:
        NodeConnection(state.control_socket).close()
    except NodeUnreachable:
        return False
    return True


def _of_ports(config: Config) -> list[str]:
    async def bind_all(reactor: Reactor) -> list[str]:
        problems, bound = [], []
        for listen in config.listeners():
            listening = Listening(
                reactor, listen, Factory(), ServerTLS(reactor), config.state_dir, config.proxy.trusted
            )
            if listening.is_in_state_folder or split_endpoint(listen.endpoint).kind == "systemd":
                continue
            try:
                listening.bind()
            except CannotStart as error:
                problems.append(str(error))
            # Each stays bound while the others are tried: two may want the same.
            bound.append(listening)
        await gatherResults([listening.close() for listening in bound])
        return problems

    return wait_for(bind_all)
