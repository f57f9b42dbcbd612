"""Jakarta Mail's settings in Java: the properties, and the loop that closes its Transport in time."""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.jakarta_mail import OPTIONS, Jakarta

TEXT = """\
// Jakarta Mail. Relay and login come from the environment. messages: a List<MimeMessage> of this session, or of any.
Properties properties = new Properties();
properties.put("mail.smtp.host", System.getenv().getOrDefault("RELAY_HOST", "smtp.mailersend.net"));
properties.put("mail.smtp.port", System.getenv().getOrDefault("RELAY_PORT", "587"));
properties.put("mail.smtp.auth", "true");
properties.put("mail.smtp.starttls.enable", "{starttls}");
{properties}Session session = Session.getInstance(properties);
Transport transport = session.getTransport("smtp");
"""

LOOP = """\
for (int number = 0; number < messages.size(); number++) {
    MimeMessage message = messages.get(number);
    if (number % EVERY == 0) {
        transport.connect(System.getenv("RELAY_USERNAME"), System.getenv("RELAY_PASSWORD"));
    }
    message.saveChanges();
    transport.sendMessage(message, message.getAllRecipients());
    if (number % EVERY == LAST || number == messages.size() - 1) {
        transport.close();
SLEEP    }
}
"""


def snippet(options: Mapping[str, object]) -> str:
    """Java, the body of a method that throws; ``messages`` is what it expects to find. ValueError
    for impossible options.
    """
    given = {**OPTIONS, **options}
    chosen = Jakarta(**given)  # type: ignore[arg-type]
    properties = "".join(
        f'properties.put("{name}", "{_written(value)}");\n'
        for name, value in options.items()
        if name.startswith("mail.")
        and name != "mail.smtp.starttls.enable"
        and value != OPTIONS[name]
    )
    head = TEXT.format(starttls=_written(given["mail.smtp.starttls.enable"]), properties=properties)
    every = str(chosen.per_connection) if chosen.per_connection else "messages.size()"
    last = str(chosen.per_connection - 1) if chosen.per_connection else "messages.size() - 1"
    sleep = f"        Thread.sleep({round(chosen.pause * 1000)});\n" if chosen.pause else ""
    return head + LOOP.replace("EVERY", every).replace("LAST", last).replace("SLEEP", sleep)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
