"""`maintenance:` of a job or tenant file."""

from __future__ import annotations

from pydantic import Field

from dativo_provider.config.shapes.base import Shape
from dativo_provider.vocabulary import MaintenanceJob

__all__ = ["Maintenance"]


class Maintenance(Shape):
    """Care of the tables."""

    jobs: list[MaintenanceJob] | None = Field(default=None, min_length=1, description="Only these; default: all.")
    target_size_mb: int | None = Field(
        default=None, ge=1, le=2048, description="Size small files are compacted to. Default: `parquet_target_size_mb`."
    )
    min_files: int | None = Field(
        default=None, ge=2, le=10_000, description="Small files of one partition worth a rewrite. Default 5."
    )
    min_manifests: int | None = Field(
        default=None, ge=2, le=10_000, description="Small manifests worth a rewrite. Default 50."
    )
    retention_days: float | None = Field(
        default=None, ge=0.1, le=36_500, description="Age up to which snapshots are kept in any case. Default 7."
    )
    keep_snapshots: int | None = Field(
        default=None, ge=1, le=100_000, description="The last ones, kept whatever their age. Default 20."
    )
    keep_metadata: int | None = Field(
        default=None, ge=1, le=10_000, description="Metadata files kept beside the current one. Default 100."
    )
    orphan_days: float | None = Field(
        default=None, ge=0.1, le=36_500, description="Age from which files nothing knows are deleted. Default 3."
    )
    run_days: float | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Age at which folders of runs are folded into one file. Default 90.",
    )
