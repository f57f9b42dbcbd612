"""A person's own strategy in a file: runs unchanged in virtual time and in production."""


def batches_of_five(sender):
    """Reconnect after every fifth message."""
    while batch := sender.take(5):
        with sender.connect() as connection:
            for message in batch:
                connection.send(message)
        sender.sleep(0.01)


def shares_work(sender):
    """A first worker that hands each batch of three to a further worker."""

    def send_all(child, batch):
        with child.connect() as connection:
            for message in batch:
                connection.send(message)

    while batch := sender.take(3):
        sender.spawn(send_all, batch)
        sender.sleep(0.05)


def gives_up(sender):
    """Takes four and sends one of them."""
    while batch := sender.take(4):
        with sender.connect() as connection:
            connection.send(batch[0])


def throws(sender):
    """Breaks after seven messages."""
    for batch in iter(lambda: sender.take(1), []):
        with sender.connect() as connection:
            connection.send(batch[0])
        if batch[0].id == "7":
            raise KeyError("seven")
