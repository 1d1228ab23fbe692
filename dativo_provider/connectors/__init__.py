"""Sources, and the registry that finds them. A connector is one leaf: see `registry` for what it declares."""
