"""A file that cannot be loaded."""

PORT = int("five hundred and eighty-seven")


def strategy(sender):
    """Never reached."""
