"""Runs, check results, metric history, quarantine index."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True)
_COUNTS = ("extracted", "accepted", "quarantined", "rejected", "duplicates", "filtered", "produced")


def upgrade() -> None:
    op.create_table(
        "dativo_runs",
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT),
        sa.Column("table_name", sa.Text),
        sa.Column("snapshot_id", sa.BigInteger),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in _COUNTS),
        sa.Column("contract_version", sa.Text),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_index("dativo_runs_newest", "dativo_runs", ["tenant", "job", "stream", "started_at"])
    op.create_index("dativo_runs_started", "dativo_runs", ["started_at"])
    op.create_table(
        "dativo_check_results",
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("check_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("evaluated_by", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("evaluated", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
    )
    op.create_table(
        "dativo_metrics",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("job", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("value", sa.Float(53), nullable=False),
    )
    op.create_index("dativo_metrics_newest", "dativo_metrics", ["tenant", "job", "stream", "name", "at"])
    op.create_table(
        "dativo_quarantine",
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("table_name", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("expires_at", _MOMENT),
    )
    op.create_index("dativo_quarantine_newest", "dativo_quarantine", ["tenant", "job", "stream", "at"])
    op.create_index("dativo_quarantine_expiry", "dativo_quarantine", ["expires_at"])


def downgrade() -> None:
    for table in ("dativo_quarantine", "dativo_metrics", "dativo_check_results", "dativo_runs"):
        op.drop_table(table)
