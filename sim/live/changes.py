"""What may be changed of a live relay while it runs: its policy, its network, its faults, and what
it refuses next.

Read as strictly as a scenario file, and in its words; a mistake is a ScenarioError and changes
nothing. ``Changes`` works in the relay's own thread; ``Changeable`` says the same from another.
Knows nothing of HTTP or of tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ScenarioError
from ..relay.forced import PASSWORD
from ..relay.policy_file import changed, load, shipped
from ..scenario.schema import Faults, Network
from ..schema_base import choice, read, written
from ..text import shown
from ..units import seconds

if TYPE_CHECKING:
    from .door import Door

T = TypeVar("T")


class Changes:
    """Changes ``door``. ``place`` stands first in what is said of a mistake."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def policy(self, overlay: object, place: str = "change") -> None:
        """Lays ``overlay`` over the policy, as a scenario's ``[policy]`` does; with ``use``, over
        that policy instead.

        A limit whose numbers differ starts afresh, without its blocks; the others go on counting.
        Open connections keep their limit of transactions.
        """
        door = self._door
        table = _table(overlay, place, "policy")
        use = table.pop("use", None)
        door.change_policy(
            changed(door.relay.policy, table, place)
            if use is None
            else load(_shipped(use, place), table, place, Path())
        )

    def network(self, overlay: object, place: str = "change") -> None:
        """Lays ``overlay`` over the network, as a scenario's ``[network]``; for connections that
        are opened from now on.

        TLS stays as it is.
        """
        table = _table(overlay, place, "network")
        if "tls" in table:
            raise ScenarioError(
                place, "network.tls", "cannot change while the relay runs; start another"
            )
        read(Network, table, place, "network")
        self._door.way.network = read(
            Network, {**written(self._door.way.network), **table}, place, "network"
        )

    def faults(self, table: object, place: str = "change") -> None:
        """These faults and no others, as a scenario's ``[faults]``, with times that count from now."""
        found = read(Faults, _table(table, place, "faults"), place, "faults")
        self._door.change_faults(_later(found, self._door.now))

    def refuse_next(self, what: str, times: int = 1, place: str = "change") -> None:
        """The next ``times`` that the limit ``what`` could refuse something, it does; see
        ``ForcedRefusals.refuse_next``.
        """
        self._door.relay.refuse_next(what, times, place=place)

    def forget(self) -> None:
        """Empties every count, lifts every block, and takes back what was to be refused. What was
        recorded stays.
        """
        door = self._door
        door.relay.forget()
        door.tally.change(door.relay.policy)

    def state(self) -> dict[str, Any]:
        """What holds now, in words of a scenario file; times of faults in seconds since the relay
        started, as is ``now``.
        """
        door = self._door
        return {
            "now": seconds(door.now),
            "policy": written(door.relay.policy),
            "network": written(door.way.network),
            "faults": written(door.way.faults),
            "next": dict(door.relay.forced),
        }


class Changeable:
    """The same from another thread; a relay that runs is one."""

    door: Door

    def call(self, function: Callable[[], T]) -> T:
        """``function()`` in the relay's own thread."""
        raise NotImplementedError

    def change(
        self,
        policy: Mapping[str, Any] | None = None,
        *,
        network: Mapping[str, Any] | None = None,
        faults: Mapping[str, Any] | None = None,
    ) -> None:
        """Each as in :class:`Changes`, where it is given: ``relay.change({"logins_per_username":
        3}, faults={})``.
        """

        def all_of_them() -> None:
            changes = self.door.changes
            for given, change in (
                (policy, changes.policy),
                (network, changes.network),
                (faults, changes.faults),
            ):
                if given is not None:
                    change(given)

        self.call(all_of_them)

    def refuse_next(self, what: str, times: int = 1) -> None:
        """As in :class:`Changes`: the limit that shall answer, or ``password`` for a 535."""
        self.call(lambda: self.door.changes.refuse_next(what, times))

    def refuse_next_login(self, times: int = 1) -> None:
        """The next logins are answered 421, as one over ``logins_per_username``."""
        self.refuse_next("logins_per_username", times)

    def fail_next_login(self, times: int = 1) -> None:
        """The next logins are answered 535, whatever the password."""
        self.refuse_next(PASSWORD, times)

    def forget(self) -> None:
        """As in :class:`Changes`: every count is empty again, and no block runs."""
        self.call(lambda: self.door.changes.forget())


def _shipped(use: object, place: str) -> str:
    """A policy by its name; not by a path, since whoever asks may be another program than the one
    that started the relay.
    """
    try:
        return choice(use, tuple(shipped()), "a shipped policy")
    except ValueError as error:
        raise ScenarioError(place, "policy.use", str(error)) from None


def _later(faults: Faults, now: int) -> Faults:
    """The same faults, with times that count from ``now``."""
    wrong = faults.wrong_password
    slow = faults.slow
    return faults.model_copy(
        update={
            "wrong_password": wrong
            and wrong.model_copy(update={"from_": wrong.from_ + now, "until": wrong.until + now}),
            "relay_down": [
                down.model_copy(update={"at": down.at + now}) for down in faults.relay_down
            ],
            "slow": slow and slow.model_copy(update={"at": slow.at + now}),
        }
    )


def _table(given: object, place: str, key: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ScenarioError(place, key, f"{shown(given)} is not a table")
    return dict(given)
