"""Whether a node would start: everything that stands in its way, found without changing anything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import assert_never

from twisted.internet.defer import gatherResults
from twisted.internet.protocol import Factory

from ..mail.scram import ScramHash
from ..wire.sasl.mechanisms import MECHANISMS, Mechanism, Shows
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
    A sentence for each thing that does not stand in the way and wants to be known: mechanisms that are asked for and
    not offered, certificates that end soon, lines of the passwd file that can't be used.
    """
    told = list(_of_mechanisms(config))
    # What fails here is a problem, and told as such.
    if config.tls is not None:
        with suppress(CannotStart):
            told += warnings_of(load_contexts(config.tls).pairs, now)
    with suppress(CannotStart):
        told += check_sources(config)
    return told


def _of_mechanisms(config: Config) -> Iterator[str]:
    # Of those by default, an application's checkers may take what the configuration has nothing for.
    for name in dict.fromkeys(config.auth.mechanisms) if "mechanisms" in config.auth.model_fields_set else ():
        if needed := _missing_for(MECHANISMS[name], config):
            yield f"auth.mechanisms has {name}, which is not offered without {needed}"


def _missing_for(mechanism: Mechanism, config: Config) -> str:
    """The setting that nobody can log in without by this mechanism; empty where it is there."""
    match mechanism.shows:
        case Shows.PASSWORD:
            return ""
        case Shows.TOKEN:
            return "" if config.auth.oauth else "auth.oauth"
        case Shows.CERTIFICATE:
            return "" if config.tls and config.tls.client_authorities else "tls.client_authorities"
        case Shows.PROOF:
            kept = "sha-1" if mechanism.hash is ScramHash.SHA_1 else "sha-256"
            return "" if kept in config.auth.scram else f'"{kept}" in auth.scram'
    assert_never(mechanism.shows)


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
