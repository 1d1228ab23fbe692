"""How published rows change a table: one leaf per write mode."""
