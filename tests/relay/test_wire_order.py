"""The table of states driven through the wire: every verb in every state is answered, and leads, as
the table says.
"""

from __future__ import annotations

import pytest

from sim.smtp.states import State, Verb, table
from tests.relay.wire_talk import EHLO, LOGGED_IN, PLAIN, talk

MAIL = b"MAIL FROM:<a@b>\r\n"
RCPT = b"RCPT TO:<c@d>\r\n"

LINES = {
    Verb.EHLO: EHLO,
    Verb.HELO: b"HELO me\r\n",
    Verb.STARTTLS: b"STARTTLS\r\n",
    Verb.AUTH: PLAIN,
    Verb.MAIL: MAIL,
    Verb.RCPT: RCPT,
    Verb.DATA: b"DATA\r\n",
    Verb.RSET: b"RSET\r\n",
    Verb.NOOP: b"NOOP\r\n",
    Verb.VRFY: b"VRFY a\r\n",
    Verb.HELP: b"HELP\r\n",
    Verb.QUIT: b"QUIT\r\n",
}
"""All but BODY, which has no verb on the wire."""


def way_to(state, login_required):
    """What a sender says to bring a new connection into ``state``."""
    idle = LOGGED_IN if login_required else EHLO
    return {
        State.CONNECTED: b"",
        State.GREETED: EHLO,
        State.AUTHENTICATED: LOGGED_IN,
        State.MAIL: idle + MAIL,
        State.RCPT: idle + MAIL + RCPT,
    }[state]


@pytest.mark.parametrize("login_required", [True, False])
@pytest.mark.parametrize("verb", LINES)
@pytest.mark.parametrize(
    "state", [State.CONNECTED, State.GREETED, State.AUTHENTICATED, State.MAIL, State.RCPT]
)
def test_every_verb_in_every_state(state, verb, login_required):
    before = way_to(state, login_required)
    found = talk(before + LINES[verb], login_required=login_required)
    session = found.wire._session
    rows = table(login_required)
    refusal = rows.refusal[state][verb]
    if refusal is not None:
        assert found.last == f"{refusal.code} {refusal.text}"
        assert session.state is state
        return
    assert found.codes[-1] < 400
    if verb is Verb.STARTTLS:
        found.wire.tls_started()
    idle = State.AUTHENTICATED if PLAIN in before else State.GREETED
    assert session.state is (rows.after[state][verb] or idle)


@pytest.mark.parametrize("before", [LOGGED_IN, EHLO])
def test_a_body_leads_back_to_where_the_transaction_began(before):
    found = talk(before + MAIL + RCPT + b"DATA\r\n.\r\n", login_required=False)
    assert found.codes[-1] == 250
    assert found.wire._session.state is (State.AUTHENTICATED if PLAIN in before else State.GREETED)


def test_commands_are_not_read_in_a_body():
    found = talk(LOGGED_IN + MAIL + RCPT + b"DATA\r\n" + b"".join(LINES.values()))
    assert found.codes == [250, 235, 250, 250, 354]
    assert found.wire._session.state is State.DATA
