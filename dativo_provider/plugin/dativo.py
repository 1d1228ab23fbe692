"""Imported by every Airflow process, each task included: nothing heavy may be imported here."""

from __future__ import annotations

from airflow.sdk.plugins_manager import AirflowPlugin

__all__ = ["DativoPlugin"]


class DativoPlugin(AirflowPlugin):  # type: ignore[misc] # Airflow is untyped here
    name = "dativo"
