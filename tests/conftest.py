"""Servers for every room; see `tests/services`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.services.plugin", "tests.airflow_home", "tests.masks"]

# How long an example takes says more of the machine than of the code.
settings.register_profile("dativo", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dativo")
