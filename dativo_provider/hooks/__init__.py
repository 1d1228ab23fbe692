"""Airflow connections and assets as the engine sees them."""
