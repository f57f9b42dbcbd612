"""Symfony Mailer's settings in PHP: the transport from its DSN, with what a DSN of version 5 cannot
say.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.symfony_mailer import SymfonyMailer

TRANSPORT = """\
// Symfony Mailer. Relay and login come from the environment.
// In a Symfony application: MAILER_DSN=smtp://USERNAME:PASSWORD@smtp.mailersend.net:587{query}
$transport = Symfony\\Component\\Mailer\\Transport::fromDsn(sprintf(
    'smtp://%s:%s@%s:%d{query}',
    rawurlencode(getenv('RELAY_USERNAME')),
    rawurlencode(getenv('RELAY_PASSWORD')),
    getenv('RELAY_HOST') ?: 'smtp.mailersend.net',
    getenv('RELAY_PORT') ?: 587
));
"""

PACE = """\
$transport->setMaxPerSecond({rate:g}); // of this process; version 5 has no word for it in the DSN
"""

MAILER = """\
$mailer = new Symfony\\Component\\Mailer\\Mailer($transport);
"""


def snippet(options: Mapping[str, object]) -> str:
    """PHP, without its opening tag, that leaves a ``$mailer``. ValueError for impossible options."""
    chosen = {**SymfonyMailer.options, **options}
    SymfonyMailer(**chosen)  # type: ignore[arg-type]
    names = ("restart_threshold", "restart_threshold_sleep", "ping_threshold")
    said = {name: chosen[name] for name in names if chosen[name] != SymfonyMailer.options[name]}
    query = "?" + "&".join(f"{name}={value}" for name, value in said.items()) if said else ""
    pace = PACE.format(rate=chosen["max_per_second"]) if chosen["max_per_second"] else ""
    return TRANSPORT.format(query=query) + pace + MAILER
