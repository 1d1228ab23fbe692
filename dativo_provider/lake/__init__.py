"""Iceberg tables: catalogs, staged Parquet files, and the one path by which rows become visible."""
