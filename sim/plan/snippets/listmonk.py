"""listmonk's settings as the JSON of its settings interface, which a shell fills with relay and
login and hands over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...strategies.libraries.listmonk import Listmonk

SHELL = """\
# listmonk keeps its settings in its database: this puts the changed ones into what its interface gives out, and back.
# LISTMONK is its address, API_USER a user and a token of its own; relay and login come from the environment.
curl -sf -u "$API_USER" "$LISTMONK/api/settings" |
jq --arg host "${{RELAY_HOST:-smtp.mailersend.net}}" --argjson port "${{RELAY_PORT:-587}}" \\
    --arg username "$RELAY_USERNAME" --arg password "$RELAY_PASSWORD" \\
    '.data * {changed} | .smtp[0] *= ({block} + {{host: $host, port: $port, username: $username, password: $password}})' |
curl -sf -u "$API_USER" -X PUT -H 'Content-Type: application/json' -d @- "$LISTMONK/api/settings"
"""

OF_THE_RELAY = ("max_conns", "max_msg_retries", "idle_timeout", "wait_timeout", "auth_protocol")
"""Options of the SMTP block; the others are the application's."""


def snippet(options: Mapping[str, object]) -> str:
    """Shell, with curl and jq. ValueError for impossible options."""
    Listmonk(**options)
    chosen = {**Listmonk.options, **options}
    block = {
        "enabled": True,
        "tls_type": "STARTTLS",
        **{name: chosen[name] for name in OF_THE_RELAY},
    }
    changed = {f"app.{name}": value for name, value in chosen.items() if name not in OF_THE_RELAY}
    return SHELL.format(block=json.dumps(block), changed=json.dumps(changed))
