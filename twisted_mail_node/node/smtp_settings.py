"""What a listener for SMTP, submission or LMTP is told of the configuration."""

from __future__ import annotations

from functools import partial

from ..mail.envelope import Service
from ..mail.host import is_within
from ..protocols.smtp import SMTPSettings
from ..protocols.smtp.settings import EXTENSIONS
from ..wire.smtp.offer import Extension
from .config import Config, ListenSettings


def smtp_settings(config: Config, listen: ListenSettings) -> SMTPSettings:
    """The settings of one listener."""
    smtp, service = config.smtp, Service(listen.service)
    return SMTPSettings(
        hostname=config.hostname,
        service=service,
        auth=listen.auth or "off",
        own_from=config.submission.own_from,
        max_message_size=config.limits.max_message_size,
        max_recipients=smtp.max_recipients,
        max_recipient_domains=smtp.max_recipient_domains,
        extensions=EXTENSIONS - {Extension(word) for word in smtp.withheld_extensions},
        expand=smtp.expand,
        max_messages=smtp.max_messages,
        max_commands=smtp.max_commands,
        max_idle_commands=smtp.max_idle_commands,
        max_errors=smtp.max_errors,
        errors_before_delay=smtp.errors_before_delay,
        error_delay_seconds=smtp.error_delay,
        max_refused_recipients=smtp.max_refused_recipients,
        # Programs of our own users wait their turn, and people wait for them.
        greeting_delay_seconds=smtp.greeting_delay if service is Service.SMTP else 0.0,
        trusted=partial(_is_trusted, config),
        trusted_for_xclient=partial(is_within, networks=smtp.trusted_for_xclient),
        trusted_for_xforward=partial(is_within, networks=smtp.trusted_for_xforward),
        # A user's own program may write lines as its system does; another node has no reason to.
        bare_newlines=(config.submission if service is Service.SUBMISSION else smtp).bare_newlines,
        hello_timeout_seconds=min(smtp.hello_timeout, smtp.idle_timeout),
        command_timeout_seconds=smtp.idle_timeout,
        content_timeout_seconds=smtp.content_timeout,
        min_content_rate=smtp.min_content_rate,
    )


def _is_trusted(config: Config, host: str) -> bool:
    return not host or is_within(host, config.limits.trusted_networks)
