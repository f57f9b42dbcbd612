"""Nodemailer's settings in JavaScript: the transporter, and the program around it that hands it
messages.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...strategies.libraries.nodemailer import OLDER, Nodemailer

TRANSPORT = """\
// Nodemailer {version}. Relay and login come from the environment.
import nodemailer from 'nodemailer';
{imports}
const transporter = nodemailer.createTransport({{
    host: process.env.RELAY_HOST || 'smtp.mailersend.net',
    port: Number(process.env.RELAY_PORT || 587),
{tls}    auth: {{ user: process.env.RELAY_USERNAME, pass: process.env.RELAY_PASSWORD }},
{options}}});
"""

STARTTLS = "    requireTLS: true, // STARTTLS, or nothing is sent\n"

ALL = """
// messages: an array of what sendMail() takes. The pool has them all at once and keeps to its pace.
const results = await Promise.allSettled(messages.map(message => transporter.sendMail(message)));
results.forEach(({ status, reason }, index) => {
    if (status === 'rejected') {
        console.error(`${messages[index].to}: ${reason.message}`); // nothing sends it again by itself
    }
});
"""

IN_TURN = """
// messages: an array of what sendMail() takes.
const left = messages.values();
async function sendInTurn() {{
    for (const message of left) {{
        try {{
            await transporter.sendMail(message);
        }} catch (error) {{
            console.error(`${{message.to}}: ${{error.message}}`); // nothing sends it again by itself
        }}
{pause}    }}
}}
await Promise.all(Array.from({{ length: {most} }}, sendInTurn));
"""

CLOSE = "transporter.close();\n"

NEVER_CLOSED = "setTimeout(() => process.exit(), 1000).unref(); // version 6 leaves open what rateLimit holds back\n"

WHY = {
    "maxMessages": "a connection ends behind so many",
    "maxConnections": "at a time",
    "rateLimit": "each connection sends one more than this",
    "rateDelta": "milliseconds",
    "idleTimeout": "milliseconds",
    "socketTimeout": "milliseconds",
}

PROGRAMS_OWN = ("version", "concurrent", "pause")


def snippet(options: Mapping[str, object]) -> str:
    """An ECMAScript module; ``messages`` is what it expects to find. ValueError for impossible
    options.
    """
    chosen = {**Nodemailer.options, **options}
    made = Nodemailer(**chosen)
    pause = f"        await sleep({round(made.pause * 1000)});\n" if made.pause else ""
    if made.pool is not None and not made.most:
        program = ALL
        pause = ""
    else:
        program = IN_TURN.format(pause=pause, most=max(1, made.most))
    leaks = chosen["version"] == OLDER and made.pool is not None and made.pool.rate_limit
    imports = "import { setTimeout as sleep } from 'node:timers/promises';\n" if pause else ""
    return transport(chosen, imports) + program + CLOSE + (NEVER_CLOSED if leaks else "")


def transport(chosen: Mapping[str, object], imports: str = "") -> str:
    """createTransport() with every option that is not at its default."""
    said = [
        name
        for name, default in Nodemailer.options.items()
        if chosen[name] != default and name not in PROGRAMS_OWN
    ]
    lines = [
        f"    {name}: {_literal(chosen[name])},{f' // {WHY[name]}' if name in WHY else ''}\n"
        for name in said
    ]
    tls = "" if chosen["ignoreTLS"] or chosen["requireTLS"] else STARTTLS
    return TRANSPORT.format(
        version=chosen["version"], imports=imports, tls=tls, options="".join(lines)
    )


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)
