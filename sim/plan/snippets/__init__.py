"""The settings of a library's model in the library's own language, ready to paste.

A module for each library, with ``snippet(options, ...) -> str``. Each takes relay and login from the environment: ``RELAY_HOST``
and ``RELAY_PORT`` (without them MailerSend's relay, port 587), ``RELAY_USERNAME`` and ``RELAY_PASSWORD``. Knows no limit: the
options say it all.
"""
