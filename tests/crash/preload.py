"""Imported once by the fork server. Imports only: anything that starts threads must wait for the child."""

import duckdb  # noqa: F401
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet  # noqa: F401
import pyiceberg.catalog.sql
import pyiceberg.io.pyarrow  # noqa: F401

import dativo_provider.pipeline.steps  # noqa: F401
