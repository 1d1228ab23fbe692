"""Plain Parquet without a catalog: files in Hive folders, and beside them a manifest that readers may trust."""
