"""From source rows to contract rows: lossless casts, then the SQL expressions of `transformations:`."""
