"""The table of states driven through the wire: every command in every state gets the answer of the
table and leads to its next state.
"""

from __future__ import annotations

import pytest

from sim.smtp.commands import (
    Credentials,
    Data,
    Ehlo,
    Helo,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
)
from sim.smtp.states import State, table
from tests.relay.wire_talk import EHLO, LOGGED_IN, PLAIN, talk

MAIL = b"MAIL FROM:<a@b>\r\n"
RCPT = b"RCPT TO:<c@d>\r\n"

LINES = {
    Ehlo: EHLO,
    Helo: b"HELO me\r\n",
    StartTls: b"STARTTLS\r\n",
    Credentials: PLAIN,
    Mail: MAIL,
    Rcpt: RCPT,
    Data: b"DATA\r\n",
    Rset: b"RSET\r\n",
    Noop: b"NOOP\r\n",
    Vrfy: b"VRFY a\r\n",
    Help: b"HELP\r\n",
    Quit: b"QUIT\r\n",
}
"""All that have a line."""


def way_to(state, login_required):
    """The octets that bring a new connection into ``state``."""
    idle = LOGGED_IN if login_required else EHLO
    return {
        State.CONNECTED: b"",
        State.GREETED: EHLO,
        State.AUTHENTICATED: LOGGED_IN,
        State.MAIL: idle + MAIL,
        State.RCPT: idle + MAIL + RCPT,
    }[state]


@pytest.mark.parametrize("login_required", [True, False])
@pytest.mark.parametrize("command", LINES)
@pytest.mark.parametrize(
    "state", [State.CONNECTED, State.GREETED, State.AUTHENTICATED, State.MAIL, State.RCPT]
)
def test_every_command_in_every_state(state, command, login_required):
    before = way_to(state, login_required)
    found = talk(before + LINES[command], login_required=login_required)
    session = found.wire._session
    transition = table(login_required=login_required)[state][command]
    refusal = transition.refusal
    after = transition.after
    if refusal is not None:
        assert found.last == f"{refusal.code} {refusal.text}"
        assert session.state is state
        return
    assert found.codes[-1] < 400
    if command is StartTls:
        found.wire.tls_started(2)
        after = State.CONNECTED
    idle = State.AUTHENTICATED if PLAIN in before else State.GREETED
    assert session.state is (after or idle)


@pytest.mark.parametrize("before", [LOGGED_IN, EHLO])
def test_a_body_leads_back_to_where_the_transaction_began(before):
    found = talk(before + MAIL + RCPT + b"DATA\r\n.\r\n", login_required=False)
    assert found.codes[-1] == 250
    assert found.wire._session.state is (State.AUTHENTICATED if PLAIN in before else State.GREETED)


def test_commands_are_not_read_in_a_body():
    found = talk(LOGGED_IN + MAIL + RCPT + b"DATA\r\n" + b"".join(LINES.values()))
    assert found.codes == [250, 235, 250, 250, 354]
    assert found.wire._session.state is State.DATA
