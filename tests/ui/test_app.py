"""The page without a browser: no control, however far it is moved, brings an exception to the page."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "app.py")


def opened(**said: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for key, text in said.items():
        app.query_params[key] = text
    return app.run()


def test_the_first_screen_says_what_goes_wrong_without_being_asked():
    app = opened()
    assert not app.exception
    assert "421" in app.error[0].value
    assert [metric.label for metric in app.metric] == ["Accepted a minute", "Incidents", "Lost", "99% within", "Time to drain"]
