"""Tools that cannot live in Airflow's environment: each in an interpreter of its own, called with files."""
