"""
Settings that are right each for itself but not together. Works on the decoded file, so that these mistakes are
told along with all others; what is of a wrong kind there is passed over, since it is told already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from .endpoint import EndpointParts, split_endpoint
from .mistakes import Mistake, shown
from .sections import SMTPSettings
from .values import is_this_machine, octets_of

COMMANDS_BESIDE = 3
"""What a message takes beside its recipients: EHLO, MAIL, DATA."""

Named = Callable[[str], str]
"""From a top-level key to the name of the file or option that it stands in."""


# Any: what TOML may hold.
def contradictions(raw: Mapping[str, Any], named: Named, *, has_certificate: bool) -> list[Mistake]:
    """All contradictions in the decoded settings."""
    return [
        *_of_listeners(raw, named, has_certificate),
        *_of_domains(raw, named),
        *_of_hashes(raw, named),
        *_of_ldap(raw, named),
        *_of_oauth(raw, named),
        *_of_relay(raw, named),
        *_of_smtp(raw, named),
        *_of_store(raw, named),
        *_of_tls(raw, named),
    ]


def _tables(raw: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    entries = raw.get(key)
    if isinstance(entries, list):
        yield from ((position, entry) for position, entry in enumerate(entries) if isinstance(entry, Mapping))


def _of_listeners(raw: Mapping[str, Any], named: Named, has_certificate: bool) -> Iterator[Mistake]:
    source, seen = named("listen"), dict[tuple[str, tuple[str, ...]], int]()
    for position, entry in _tables(raw, "listen"):
        here = f"listen[{position}]"
        tls, auth, service, endpoint = (entry.get(key) for key in ("tls", "auth", "service", "endpoint"))
        try:
            parts = split_endpoint(endpoint) if isinstance(endpoint, str) else None
        except ValueError:
            parts = None
        if tls in ("starttls", "implicit"):
            if not has_certificate:
                yield Mistake(source, f"{here}.tls", shown(tls), "needs a [tls] table with certificate and private_key")
            if parts is not None and parts.kind == "ssl":
                yield Mistake(source, f"{here}.tls", shown(tls), 'allowed: "none"; an ssl: endpoint does TLS by itself')
        if service in ("pop3", "imap") and auth in ("off", "optional"):
            yield Mistake(source, f"{here}.auth", shown(auth), f'allowed: "required"; {service} is for accounts only')
        if service == "lmtp" and auth in ("optional", "required"):
            yield Mistake(source, f"{here}.auth", shown(auth), 'allowed: "off"; lmtp takes mail from this site\'s own')
        if parts is not None and (place := _place(parts)) is not None:
            if place in seen:
                yield Mistake(source, f"{here}.endpoint", shown(endpoint), f"listen[{seen[place]}] has it already")
            seen.setdefault(place, position)


def _place(parts: EndpointParts) -> tuple[str, tuple[str, ...]] | None:
    if parts.path:
        return "unix", (parts.path,)
    if parts.fixed_port:
        return "port", (str(parts.fixed_port), dict(parts.options).get("interface", ""))
    return None


def _of_domains(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    seen = dict[str, int]()
    for position, entry in _tables(raw, "domain"):
        name = entry.get("name")
        if isinstance(name, str):
            if name.lower() in seen:
                first = seen[name.lower()]
                yield Mistake(
                    named("domain"), f"domain[{position}].name", shown(name), f"domain[{first}] has it already"
                )
            seen.setdefault(name.lower(), position)


def _of_store(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    store = raw.get("store")
    if not isinstance(store, Mapping):
        return
    if store.get("kind") == "postgres" and not store.get("dsn"):
        yield Mistake(named("store"), "store.dsn", "", 'kind = "postgres" needs it: "host=… dbname=… user=…"')
    if store.get("dsn") and store.get("kind", "sqlite") != "postgres":
        yield Mistake(named("store"), "store.dsn", "", 'is for kind = "postgres" alone')
    if store.get("bodies") == "maildir" and store.get("kind") == "memory":
        yield Mistake(
            named("store"), "store.bodies", '"maildir"', 'needs an index that lasts: kind = "sqlite" or "postgres"'
        )


def _of_hashes(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    auth = raw.get("auth")
    if not isinstance(auth, Mapping) or "hash_memory" not in auth:
        return
    lanes = auth.get("hash_lanes", 1)
    try:
        memory = octets_of(auth["hash_memory"])
    except ValueError:
        return
    # RFC 9106 §3.1: 8 KiB a lane at least.
    if isinstance(lanes, int) and memory < lanes * 8192:
        least = f'"{lanes * 8} KiB" or more with hash_lanes = {lanes}'
        yield Mistake(named("auth"), "auth.hash_memory", shown(auth["hash_memory"]), f"allowed: {least}")


def _of_tls(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    tls = raw.get("tls")
    if isinstance(tls, Mapping) and tls.get("client_revocations") and not tls.get("client_authorities"):
        yield Mistake(named("tls"), "tls.client_revocations", "", "needs tls.client_authorities")


def _of_ldap(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    ldap = _auth_table(raw, "ldap")
    if ldap is None:
        return
    if not ldap.get("base") and not ldap.get("bind_dn"):
        yield Mistake(named("auth"), "auth.ldap.base", "", "needed to search for users, unless bind_dn names them")
    if ldap.get("starttls") is False:
        uris = ldap.get("uri")
        for uri in uris if isinstance(uris, list) else ():
            if isinstance(uri, str) and uri.lower().startswith("ldap:") and not _is_local(uri):
                reason = "passwords would cross the net in plain text; only for this machine"
                yield Mistake(named("auth"), "auth.ldap.starttls", "false", reason)
                return


def _is_local(uri: str) -> bool:
    try:
        return is_this_machine(urlsplit(uri).hostname)
    except ValueError:
        return True  # no address at all, which is told already


def _of_oauth(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    oauth = _auth_table(raw, "oauth")
    if oauth is None:
        return
    if not oauth.get("jwks") and not oauth.get("introspection"):
        yield Mistake(named("auth"), "auth.oauth.jwks", "", "this or introspection is needed to look at tokens")
    if oauth.get("jwks"):
        for key in ("issuer", "audience"):
            if not oauth.get(key):
                reason = "needed with jwks: a key may sign for many services"
                yield Mistake(named("auth"), f"auth.oauth.{key}", "", reason)
    if oauth.get("introspection") and not oauth.get("client_id"):
        yield Mistake(named("auth"), "auth.oauth.client_id", "", "needed with introspection (RFC 7662 §2.1)")


def _auth_table(raw: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    auth = raw.get("auth")
    table = auth.get(key) if isinstance(auth, Mapping) else None
    return table if isinstance(table, Mapping) else None


def _of_smtp(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    smtp = raw.get("smtp")
    if not isinstance(smtp, Mapping):
        return
    recipients, commands = (
        smtp.get(key, SMTPSettings.model_fields[key].default) for key in ("max_recipients", "max_commands")
    )
    if not isinstance(recipients, int) or not isinstance(commands, int) or recipients + COMMANDS_BESIDE <= commands:
        return
    # RFC 9422 §4.2: RCPTMAX is a promise.
    if "max_commands" in smtp:
        reason = f"allowed: {recipients + COMMANDS_BESIDE} or more with smtp.max_recipients = {recipients}"
        yield Mistake(named("smtp"), "smtp.max_commands", shown(commands), reason)
    else:
        reason = f"allowed: {commands - COMMANDS_BESIDE} or less with smtp.max_commands = {commands}"
        yield Mistake(named("smtp"), "smtp.max_recipients", shown(recipients), reason)


def _of_relay(raw: Mapping[str, Any], named: Named) -> Iterator[Mistake]:
    relay = raw.get("relay")
    if not isinstance(relay, Mapping) or not relay.get("smarthost_username"):
        return
    if not relay.get("smarthost"):
        yield Mistake(named("relay"), "relay.smarthost_username", "", "needs relay.smarthost")
    elif relay.get("smarthost_tls") == "none":
        yield Mistake(named("relay"), "relay.smarthost_tls", '"none"', "a password needs may, encrypt or verify")
