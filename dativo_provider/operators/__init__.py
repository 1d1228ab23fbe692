"""Airflow operators: one per step, each only builds a context and calls `dativo_provider.pipeline.steps`."""
