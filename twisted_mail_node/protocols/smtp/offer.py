"""What a client can have now by the listener's settings. TLS and AUTH are for the session to tell."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from twisted.internet.interfaces import IReactorTime

from ...mail.envelope import Peer, Service
from ...wire.smtp.offer import Extension, Offer
from .settings import SMTPSettings


def offer_for(settings: SMTPSettings, peer: Peer, clock: IReactorTime, *, is_exempt: bool) -> Offer:
    """The offer to this peer, as it is connected now; `is_exempt`: it may send as many messages as it likes."""
    extensions = settings.extensions
    if settings.service is not Service.SUBMISSION and Extension.FUTURE_RELEASE in extensions:
        extensions -= {Extension.FUTURE_RELEASE}  # RFC 4865 §4: for submission
    return Offer(
        max_size=settings.max_message_size,
        tls=peer.tls,
        extensions=extensions,
        limits=_limits(
            0 if is_exempt else settings.max_messages, settings.max_recipients, settings.max_recipient_domains
        ),
        future_release=_future_release(settings, clock) if Extension.FUTURE_RELEASE in extensions else (0, ""),
    )


# RFC 9422 §4: a limit is written in six digits.
_LARGEST_LIMIT = 999_999


@lru_cache(maxsize=64)  # so that idle connections share one
def _limits(messages: int, recipients: int, domains: int) -> tuple[tuple[str, int], ...]:
    """Source: RFC 9422 §4."""
    limits = (("MAILMAX", messages), ("RCPTMAX", recipients), ("RCPTDOMAINMAX", domains))
    return tuple((name, min(limit, _LARGEST_LIMIT)) for name, limit in limits if limit)


def _future_release(settings: SMTPSettings, clock: IReactorTime) -> tuple[int, str]:
    latest = datetime.fromtimestamp(int(clock.seconds()) + settings.max_hold_seconds, UTC)
    return settings.max_hold_seconds, latest.strftime("%Y-%m-%dT%H:%M:%SZ")
