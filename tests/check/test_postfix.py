"""Findings about a main.cf, and its parser: parameters, their lines, references."""

from __future__ import annotations

import pytest

from sim.check.postfix import expanded, parameters
from sim.errors import ScenarioError
from sim.strategies import catalogue
from tests.check.texts import POSTFIX, checked, whats


def test_a_main_cf(tmp_path):
    reuse = (
        "smtp_tls_connection_reuse = yes\nmany = 100\nsmtp_connection_reuse_count_limit =\n"
        "  $many\n"
    )
    found = checked(tmp_path, "main.cf", POSTFIX + reuse)
    assert not found.passed
    said = (
        "fails at message 6: smtp_connection_reuse_count_limit is 100, so a connection carries "
        "101, this relay allows 5"
    )
    (one,) = [one for one in found.findings if one.what == said]
    assert (one.line, one.instead) == (6, "smtp_connection_reuse_count_limit = 4")
    assert (found.unmodelled is None) == ("postfix" in catalogue.SHIPPED)


@pytest.mark.parametrize(
    ("text", "said", "refused"),
    [
        (
            "relayhost = [smtp.mailersend.net]:587\n",
            "smtp_sasl_auth_enable is not yes, and the relay wants a login",
            True,
        ),
        (
            POSTFIX + "relayhost = [smtp.mailersend.net]:465\n",
            "port 465 begins with TLS, and smtp_tls_wrappermode is not yes",
            True,
        ),
        (
            POSTFIX + "smtp_tls_security_level = none\n",
            "the login goes over the network in the clear",
            False,
        ),
        ("myhostname = x\n", "nothing of this goes through a relay: relayhost is not set", False),
        (
            POSTFIX + "relayhost = mx.example.com\n",
            "relayhost is mx.example.com; it is judged as if it were this relay",
            False,
        ),
        (
            POSTFIX + "relayhost = smtp.mailersend.net:587\n",
            "without [ ] around the name Postfix asks for its MX records",
            False,
        ),
        (
            POSTFIX + "transport_maps = hash:/etc/postfix/transport\n",
            "transport_maps may send mail elsewhere, and is not",
            False,
        ),
        (
            "transport_maps = hash:x\nsmtp_sasl_auth_enable = yes\n",
            "where mail goes is for transport_maps to say; it is judged",
            False,
        ),
        (
            "default_transport = smtp:[smtp.mailersend.net]:587\n",
            "where mail goes is for default_transport to say",
            False,
        ),
        (
            POSTFIX + "default_transport = slow\n",
            "default_transport is slow, whose own parameters",
            False,
        ),
        (
            POSTFIX + "default_destination_recipient_limit = 1\n",
            "the concurrency limits count by recipient",
            False,
        ),
        (
            POSTFIX + "smtp_connection_cache_destinations = x\n",
            "keeps connections in a way of its own",
            False,
        ),
        (
            POSTFIX,
            "master.cf may overrule any of these for a service with -o, and is not read",
            False,
        ),
        (
            POSTFIX + "smtp_conection_reuse_count_limit = 4\n",
            (
                "smtp_conection_reuse_count_limit is not read here; "
                'did you mean "smtp_connection_reuse_count_limit"?'
            ),
            False,
        ),
    ],
)
def test_what_can_be_told_of_a_main_cf_by_reading(text, said, refused, tmp_path):
    found = checked(tmp_path, "main.cf", text, messages=5)
    assert [one.refused for one in found.findings if said in one.what] == [refused]


def test_the_common_main_cf_has_no_slip_of_the_pen(tmp_path):
    text = POSTFIX + (
        "smtpd_tls_security_level=may\nsmtpd_use_tls=yes\nlmtp_tls_security_level=may\n"
        "relay_destination_concurrency_limit=1\n"
    )
    assert not [
        one
        for one in whats(checked(tmp_path, "main.cf", text, messages=5))
        if "did you mean" in one
    ]


def test_lines_of_a_main_cf():
    found = parameters("# c\na = 1\n\n  two\n# c\n   three\nb=$a\nb = x\n", "main.cf")
    assert {name: tuple(each)[:2] for name, each in found.items()} == {
        "a": ("1 two three", 2),
        "b": ("x", 8),
    }


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$one", "1"),
        ("${one}x", "1x"),
        ("$(one) $one", "1 1"),
        ("${one?yes}${none?no}", "yes"),
        ("${one:no}${none:yes}", "yes"),
        ("$two", "1"),
        ("$nothing", ""),
        ("$default", "d"),
        ("$loop", None),
        ("a$", "a$"),
    ],
)
def test_references(written, value):
    found = parameters(f"one = 1\ntwo = $one\nloop = $loop$loop\nx = {written}\n", "main.cf")
    seen = expanded("x", found, {"default": "d"})
    assert value is None or seen == value
    assert len(seen) <= 100_000


@pytest.mark.parametrize("text", ["hello", "a b = c", "= c", "smtp_x = 1\n[section]\n", "é = 1"])
def test_what_is_no_main_cf(text):
    with pytest.raises(ScenarioError, match=r"is no parameter of a main\.cf"):
        parameters(text, "main.cf")
