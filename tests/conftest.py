"""Servers for every room; see `tests/services`."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.services.plugin", "tests.airflow_home", "tests.masks", "tests.schedule"]

# How long an example takes says more of the machine than of the code.
settings.register_profile("dativo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dativo")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Reports of parallel workers travel as UTF-8, which what a test logged need not be."""
    report = yield
    report.sections = [(name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections]
    return report
