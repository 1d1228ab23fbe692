"""What evaluates checks in this process, with its version, as evidence names it."""

from __future__ import annotations

import duckdb
import pyarrow as pa

__all__ = ["ARROW", "DUCKDB"]

ARROW = f"pyarrow {pa.__version__}"
DUCKDB = f"duckdb {duckdb.__version__}"
