"""Postfix's settings as calls of postconf, which writes them into main.cf."""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.postfix import Postfix

SETTINGS = """\
# Postfix 3.4 or later, as root; then: postfix reload. Relay and login come from the environment.
relay="[${RELAY_HOST:-smtp.mailersend.net}]:${RELAY_PORT:-587}"
logins="$(postconf -h config_directory)/relay_login"
(umask 077; printf '%s %s:%s\\n' "$relay" "$RELAY_USERNAME" "$RELAY_PASSWORD" >"$logins")
postconf -e "relayhost = $relay" \\
    "smtp_sasl_auth_enable = yes" \\
    "smtp_sasl_password_maps = texthash:$logins" \\
    "smtp_sasl_security_options = noanonymous" \\
    "smtp_tls_security_level = encrypt"\
"""

TLS_PROXY = """\
postconf -M "tlsproxy/unix = tlsproxy unix - - n - 0 tlsproxy" # keeps the connections under TLS
"""


def snippet(options: Mapping[str, object]) -> str:
    """Shell. ValueError for impossible options."""
    Postfix(**options)
    changed = {name: value for name, value in options.items() if value != Postfix.options[name]}
    lines = [SETTINGS, *(f'    "{name} = {_said(value)}"' for name, value in changed.items())]
    return (
        " \\\n".join(lines) + "\n" + (TLS_PROXY if options.get("smtp_tls_connection_reuse") else "")
    )


def _said(value: object) -> object:
    return ("no", "yes")[value] if isinstance(value, bool) else value
