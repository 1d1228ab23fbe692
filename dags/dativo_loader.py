"""Every job YAML below this folder becomes an Airflow DAG."""

from dag_factory.load import load

load(globals(), __file__)
