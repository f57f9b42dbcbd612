"""Reads the changes of a running relay: overlays of its policy and network, and new faults.

They have the form of a scenario file's tables and are checked as strictly. A mistake is a
ScenarioError whose text begins with ``place``. ``LiveRelay`` applies the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ScenarioError
from ..relay import Policy
from ..relay.policy_file import changed, load, shipped
from ..scenario.schema import Faults, Network
from ..schema_base import choice, read, written
from ..text import shown


def policy_with(policy: Policy, overlay: object, place: str) -> Policy:
    """``policy`` with ``overlay`` applied, as in a scenario's ``[policy]``. A key ``use`` names
    another policy to apply it to.
    """
    table = _table(overlay, place, "policy")
    use = table.pop("use", None)
    if use is None:
        return changed(policy, table, place)
    return load(_shipped(use, place), table, place, Path())


def network_with(network: Network, overlay: object, place: str) -> Network:
    """``network`` with ``overlay`` applied, as in a scenario's ``[network]``. TLS cannot change."""
    table = _table(overlay, place, "network")
    if "tls" in table:
        raise ScenarioError(
            place, "network.tls", "cannot change while the relay runs; start another"
        )
    return read(Network, {**written(network), **table}, place, "network")


def faults_from(table: object, now: int, place: str) -> Faults:
    """The faults of ``table``, as in a scenario's ``[faults]``, with times that count from
    ``now``.
    """
    faults = read(Faults, _table(table, place, "faults"), place, "faults")
    wrong = faults.wrong_password
    slow = faults.slow
    if wrong is not None:
        wrong = wrong.model_copy(update={"from_": wrong.from_ + now, "until": wrong.until + now})
    if slow is not None:
        slow = slow.model_copy(update={"at": slow.at + now})
    downs = [down.model_copy(update={"at": down.at + now}) for down in faults.relay_down]
    return faults.model_copy(update={"wrong_password": wrong, "relay_down": downs, "slow": slow})


def _shipped(use: object, place: str) -> str:
    """The name of a shipped policy. A path is refused: the program that asks for the change can be
    another one than started the relay, and must not make it read files.
    """
    try:
        return choice(use, tuple(shipped()), "a shipped policy")
    except ValueError as error:
        raise ScenarioError(place, "policy.use", str(error)) from None


def _table(given: object, place: str, key: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ScenarioError(place, key, f"{shown(given)} is not a table")
    return dict(given)
