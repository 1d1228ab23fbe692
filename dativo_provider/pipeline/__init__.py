"""The steps of a run as plain functions: plan → extract → transform → audit → publish → sync.

Each takes the plan's URI, reads nothing but what earlier steps wrote beside it, and may run in a process
of its own. `run` calls them in one process; Airflow's operators call them one per task.
"""
