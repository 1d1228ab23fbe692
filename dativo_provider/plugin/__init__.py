"""What Dativo adds to Airflow's own processes."""
