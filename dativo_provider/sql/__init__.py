"""DuckDB for what tenants wrote: a closed sandbox, names, and the syntax of their expressions and queries."""
