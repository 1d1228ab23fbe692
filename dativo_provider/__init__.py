"""Dativo: contracts enforced while ingesting, published to Iceberg, orchestrated by Airflow."""

__version__ = "0.1.0"
__all__ = ["__version__"]
