"""The public face of the pipeline: one function per task of a DAG, and `run` for all of them."""

from dativo_provider.pipeline.audit import audit
from dativo_provider.pipeline.extract import extract
from dativo_provider.pipeline.plan import plan
from dativo_provider.pipeline.publish import publish
from dativo_provider.pipeline.run import RunReport, StreamReport, run
from dativo_provider.pipeline.sync import sync
from dativo_provider.pipeline.transform import transform

__all__ = ["RunReport", "StreamReport", "audit", "extract", "plan", "publish", "run", "sync", "transform"]
