"""A model of a library does not send for real: whoever asks is told to run the library itself."""

from __future__ import annotations

import pytest

from sim.errors import ScenarioError
from sim.production import Account, send


class Model:
    """A model of the tests' own."""

    library = "Some Mailer"

    def run(self, sender):
        raise AssertionError("it must not be run")


def test_a_model_is_refused_before_anything_is_sent():
    account = Account("127.0.0.1", 1, [("user1", "secret")], "a@example.com", tls="none")
    with pytest.raises(ScenarioError, match="run Some Mailer itself"):
        send(Model, [], account)
