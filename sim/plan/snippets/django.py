"""Django's settings, and the loop of one connection for every so many messages."""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.django import Django
from ._loops import batches, indented, sleep

SETTINGS = """\
# settings.py. Relay and login come from the environment.
import os

EMAIL_HOST, EMAIL_PORT = os.environ.get("RELAY_HOST", "smtp.mailersend.net"), int(os.environ.get("RELAY_PORT", "587"))
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = os.environ["RELAY_USERNAME"], os.environ["RELAY_PASSWORD"]
EMAIL_USE_TLS = True
"""

HEAD = """
# Where the messages are sent. `messages`: a list of django.core.mail.EmailMessage.
"""

IMPORTS = {
    False: "from django.core.mail import get_connection\n\n",
    True: "import time\n\nfrom django.core.mail import get_connection\n\n",
}


def snippet(options: Mapping[str, object]) -> str:
    """Python: the settings, and the loop, in which ``messages`` is what it expects to find.
    ValueError for impossible options.
    """
    chosen = Django(**{**Django.options, **options})  # type: ignore[arg-type]
    loop, batch = batches(chosen.mass or chosen.per_connection)
    silently = "fail_silently=True" if chosen.silently else ""
    body = (
        f"with get_connection({silently}) as connection:\n    connection.send_messages({batch})\n"
    )
    timeout = f"EMAIL_TIMEOUT = {chosen.timeout:g}\n" if chosen.timeout else ""
    inside = indented(body + sleep("time.sleep", chosen.pause), bool(loop))
    return SETTINGS + timeout + HEAD + IMPORTS[chosen.pause > 0] + loop + inside
