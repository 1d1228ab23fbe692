"""Files of any format in local folders and object stores, read alike."""

from __future__ import annotations

from dataclasses import replace

from dativo_provider.connectors.files import guide
from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, threaded=True, ordered_cursor=False)

_LOCAL = "dativo_provider.connectors.files.local"
_BUCKETS = "dativo_provider.connectors.files.buckets"
_PLAIN = "dativo_provider.lake.plain.target:PlainTarget"  # lives in a room of its own
_STRATEGIES = ("file_modified_time", "full_refresh")

_FOLDER = ConnectorInfo(
    "", ("source", "target"), "files", "", CAPABILITIES, _STRATEGIES,
    options={**guide.ROWS, **guide.CHANGES}, notes=(guide.PLACE, *guide.NOTES),
)  # fmt: skip
_BUCKET = replace(_FOLDER, options={**guide.FORMAT, **guide.TEXT, **guide.ROWS, **guide.CHANGES}, notes=guide.REMOTE)

CONNECTORS = (
    replace(
        _FOLDER, name="json", description="JSON documents and JSON Lines in local folders",
        reader=f"{_LOCAL}:JsonReader", options={**guide.FORMAT, **guide.JSON, **guide.ROWS, **guide.CHANGES},
    ),
    replace(
        _FOLDER, name="parquet", description="Parquet files in local folders", reader=f"{_LOCAL}:ParquetReader",
        target=_PLAIN,
    ),
    replace(
        _FOLDER, name="avro", roles=("source",), description="Avro files in local folders",
        capabilities=replace(CAPABILITIES, extra="avro"), reader=f"{_LOCAL}:AvroReader",
    ),
    replace(
        _FOLDER, name="markdown_kv", description="Markdown-KV documents in local folders, by pair or by document",
        reader=f"{_LOCAL}:MarkdownKvReader", options={**guide.MARKDOWN, **guide.CHANGES},
        notes=(guide.PLACE, *guide.DOCUMENTS),
    ),
    *(
        replace(
            _BUCKET, name=name, description=f"Files in {title}: {guide.FORMATS}", reader=f"{_BUCKETS}:S3Reader",
            capabilities=replace(CAPABILITIES, extra="s3"), target=_PLAIN, connection=guide.S3,
        )
        for name, title in (("s3", "S3 and what speaks its protocol"), ("minio", "MinIO"))
    ),
    replace(
        _BUCKET, name="gcs", roles=("source",), description=f"Files in Google Cloud Storage: {guide.FORMATS}",
        capabilities=replace(CAPABILITIES, extra="gcs"), reader=f"{_BUCKETS}:GcsReader", connection=guide.GCS,
    ),
    replace(
        _BUCKET, name="azure_blob", description=f"Files in Azure Blob Storage: {guide.FORMATS}",
        capabilities=replace(CAPABILITIES, extra="azure"), reader=f"{_BUCKETS}:AzureReader", connection=guide.AZURE,
    ),
)  # fmt: skip
