"""Soda Core 4 over DuckDB. https://docs.soda.io/soda-documentation/reference/contract-language-reference"""

from dativo_provider.envs.recipe import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="soda",
    title="Soda Core 4",
    requirements=("soda-core==4.28.0", "soda-duckdb==4.28.0", "duckdb==2.0.0", "pytz==2026.6"),
    modules=("soda_core", "soda_duckdb"),
    notice="Soda Core 4 is under the Elastic License 2.0, which does not allow offering it to others as a service",
    variables={"SODA_CORE_TELEMETRY_ENABLED": "false"},
)
