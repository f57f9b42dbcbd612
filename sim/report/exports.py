"""JUnit XML for a CI: one testcase for each scenario, its failure naming each expectation. Knows
results, not files.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import astuple, fields
from xml.etree import ElementTree as xml

from ..errors import ScenarioError
from ..measure.result import LogEntry, Outcome, Result

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped; a reply's or a username's text may."""


def document(results: Sequence[Result], mistakes: Sequence[ScenarioError] = ()) -> str:
    """The whole document. An aborted run is an error, and so is a file that could not run. ``time``
    is virtual seconds.
    """
    suite = xml.Element("testsuite", name="relaysim")
    for result in results:
        _add(suite, result)
    for mistake in mistakes:
        case = xml.SubElement(
            suite, "testcase", classname="relaysim", name=_clean(mistake.place), time="0"
        )
        xml.SubElement(case, "error", message="the file has a mistake").text = _clean(str(mistake))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suites = xml.Element("testsuites")
    suites.append(suite)
    xml.indent(suites, " ")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(suites, encoding="unicode") + "\n"
    )


def missed(outcome: Outcome) -> str:
    """A failed expectation with what came instead."""
    actual = "none" if outcome.actual is None else _value(outcome.actual)
    return f"{outcome.metric} {outcome.comparison}: actual {actual}"


def _value(actual: float | int | str) -> str:
    return f"{actual:.6g}" if isinstance(actual, float) else str(actual)


def _add(suite: xml.Element, result: Result) -> None:
    name = _clean(result.scenario)
    time = f"{result.duration_s:.3f}"
    case = xml.SubElement(
        suite, "testcase", classname=f"relaysim.{result.policy}", name=name, time=time
    )
    failed = [missed(outcome) for outcome in result.expectations if not outcome.passed]
    if result.ended == "aborted":
        reason = result.error or "the run was aborted"
        xml.SubElement(case, "error", message=_clean(reason)).text = _clean(
            "\n".join([reason, *failed])
        )
    elif not result.passed:
        count = f"{len(failed)} of {len(result.expectations)} expectations failed"
        xml.SubElement(
            case, "failure", message=_clean(f"{count}: {'; '.join(failed)}")
        ).text = _clean("\n".join(failed))
    told = [f"{finding.what}\n{finding.why}\n{finding.fix}" for finding in result.diagnosis]
    told += [f"again: {result.command}"] if result.command else []
    if told:
        xml.SubElement(case, "system-out").text = _clean("\n\n".join(told))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


COLUMNS = tuple(field.name for field in fields(LogEntry))
"""The keys of incidents.log; ``t`` is in seconds, what is not known is empty."""


def incidents(result: Result) -> str:
    """A line of COLUMNS and one for each entry of the log; lines end with CR LF (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(astuple(entry) for entry in result.incidents.log)
    return text.getvalue()
