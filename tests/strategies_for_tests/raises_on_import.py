"""A file that cannot be loaded."""

import no_such_module_anywhere  # noqa: F401


def strategy(sender):
    """Never reached."""
