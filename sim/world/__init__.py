"""DOOR: virtual time. Greenlets over SimPy, arrivals, the network and its faults, and the run of a
scenario.
"""

from ..errors import ScenarioError
from ..measure import Result
from ..scenario import Scenario
from ..strategies import catalogue
from ..strategies.catalogue import Strategy
from .run import World

__all__ = ["Strategy", "World", "simulate", "strategy_of"]


def simulate(scenario: Scenario) -> Result:
    """Runs ``scenario`` in this process and returns its result. This executes the user's strategy
    file; ``sim.runner`` does it in a child process.

    Raises ScenarioError if that file or its options are wrong.
    """
    return World(scenario, strategy_of(scenario)).run()


def strategy_of(scenario: Scenario) -> Strategy:
    """The scenario's strategy. Executes the user's file, if it is in one. ScenarioError if the file
    or the options are wrong.
    """
    if scenario.file is None:
        return catalogue.shipped(scenario.strategy)
    try:
        strategy = catalogue.load(*scenario.file)
    except ValueError as error:
        raise ScenarioError(scenario.place, "sender.strategy", str(error)) from None
    catalogue.check_options(strategy, scenario.sender.options, scenario.place)
    return strategy
