"""The page without a browser: no control, however far it is moved, brings an exception to the page."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "app.py")


def opened(**said: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for key, text in said.items():
        app.query_params[key] = text
    return settled(app.run())


def settled(app: AppTest) -> AppTest:
    """The page when its run is done, however long that takes on this machine."""
    for _ in range(200):
        if app.metric or app.exception or app.error:
            return app
        app.run()
    raise AssertionError("the run is still under way")


def test_the_first_screen_says_what_goes_wrong_without_being_asked():
    app = opened()
    assert not app.exception
    assert "421" in app.error[0].value
    assert [metric.label for metric in app.metric] == ["Accepted a minute", "Incidents", "Lost", "99% within", "Time to drain"]
