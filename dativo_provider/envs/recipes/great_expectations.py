"""Great Expectations 1 over DuckDB, by a SQLAlchemy dialect of ours. https://docs.greatexpectations.io"""

from dativo_provider.envs.recipe import Recipe

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="great_expectations",
    title="Great Expectations 1",
    requirements=("great_expectations==1.24.1", "duckdb==2.0.0", "SQLAlchemy==2.0.58", "pytz==2026.6"),
    modules=("great_expectations", "sqlalchemy", "duckdb"),
    variables={"GX_ANALYTICS_ENABLED": "false"},
    extra="gx",
)
