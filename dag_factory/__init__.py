"""Jobs become DAGs: `discover` finds the YAML, `build` makes one DAG of one job, `load` serves a dags folder."""
