"""What the pages of the connectors of files say."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "AZURE",
    "CHANGED",
    "CHANGES",
    "DOCUMENTS",
    "FORMAT",
    "FORMATS",
    "GCS",
    "JSON",
    "MARKDOWN",
    "NOTES",
    "PATHS",
    "PLACE",
    "REMOTE",
    "ROWS",
    "S3",
    "TEXT",
    "WHICH",
]

FORMATS = "CSV, JSON, JSON Lines, Parquet, Avro, Markdown-KV"
FORMAT: Mapping[str, str] = {
    "format": "`csv`, `json`, `jsonl`, `parquet`, `avro` or `markdown_kv`; default: the end of each file's name",
}
JSON: Mapping[str, str] = {
    "records": "of a JSON document: the dotted path of the array that holds the records; default: the document itself",
    "max_record_mb": "longest record or line; default 64",
    "encoding": "of text; default `utf-8`, and a byte order mark overrules it",
}
MARKDOWN: Mapping[str, str] = {
    "form": "`row_per_kv` (default): a row for each pair, with `doc_id, section, key, value, value_json, ord, "
    "extracted_at`; `document_level`: a row for each file, with `doc_id, title, sections, raw_md, extracted_at`",
    "max_document_mb": "longest file, which is read as a whole and takes some 20 times as much memory; default 16",
    "encoding": "default `utf-8`",
}
TEXT: Mapping[str, str] = {
    **JSON,
    "delimiter, quote_char, header, …": "of CSV: [as of local files](csv.md)",
}
ROWS: Mapping[str, str] = {"batch_size": "most rows of a batch"}
WHICH: Mapping[str, str] = {
    "hive_partitioning": "whether folders `name=value` of a file's path are columns, as text (`dt=2026-01-31/`); "
    "default false",
    "modified_after": "files that are older than this date or time (UTC) are not looked at",
    "on_deleted_file": "of files that were read and are gone: `ignore` (default; their rows stay), `refuse`, or "
    "`replace`, which reads what is left and replaces the table",
    "on_changed_options": "when options that rows depend on (`delimiter`, `records`, …) have changed since files were "
    "read: `keep` (only new files are read with them, and the report says so), `refuse`, or `replace`, which reads "
    "every file again and replaces the table; default: `replace` where `on_changed_file` is `replace`, else `keep`",
}
CHANGES: Mapping[str, str] = {
    "on_broken_file": "`fail` (default), or `quarantine`: the rows before the break are kept, and one entry of the "
    "quarantine stands for the rest of the file",
    **WHICH,
}
PATHS = (
    "`{name}` in a path is a part of one name, and a column of that name: `orders/{region}/{date}.csv`. What a path "
    "tells is text, which the contract's type is made of, and counts for more than a column of the file. A run of "
    "`--from` and `--to` reads the files that were modified then."
)
PLACE = (
    "A path begins at the tenant's `roots.files`, and without them at the tenant's folder (`tenants/acme`), not at the "
    "job's."
)
CHANGED = (
    "A later run reads files that are new. One that changed after it was read stops the run, unless `on_changed_file` "
    "(beside `options`, in `source` or in one of its `files`) says `append` (with a key) or `replace`."
)
NOTES = (
    "Text may be packed with gzip or zstd; such a file is read by one task, however large it is, and so are Avro, JSON "
    "documents, CSV with stray quotes and other encodings than UTF-8. Large files of plain CSV, JSON Lines and Parquet "
    "are shared out; of CSV the plan reads every byte once, because only who has seen every quote knows where a row "
    "begins.",
    "Numbers keep every digit; what a column's type cannot hold is judged row by row.",
    CHANGED,
    "A file that changes while it is read stops the run, and the next one reads it whole.",
    PATHS,
    "Columns that some files lack are NULL there; what becomes of columns the contract lacks is said by "
    "[`schema_policy`](../schema-evolution.md).",
)
REMOTE = (
    "Paths are URIs below `roots.files` of the tenant: `s3://bucket/in/**/*.csv.gz`, one object, or a folder. Names "
    "that begin with `_` or `.` are left out. A store looks only for what comes before the first `*`: the more "
    "of the date stands there, the less is listed.",
    "What is new is told by name and version (ETag, generation), never by the date, which S3 keeps in whole seconds "
    "and from the beginning of an upload. Every request asks for the version that was planned.",
    *NOTES,
)
S3: Mapping[str, str] = {
    "access_key_id, secret_access_key, session_token": "without them: the role of the machine. Reading takes "
    "`s3:ListBucket` and `s3:GetObject`",
    "region": "default `us-east-1`",
    "endpoint": "of another store than AWS; then with keys of its own",
}
GCS: Mapping[str, str] = {
    "token": "an OAuth2 access token; without it: Google's default credentials. Reading takes "
    "`storage.objects.list` and `storage.objects.get`",
    "project_id": "whose quota is used",
    "endpoint": "of another store than Google's; then with a token of its own",
}
AZURE: Mapping[str, str] = {
    "account_name": "where the path does not say it (`abfss://container@account.dfs.core.windows.net/…`)",
    "account_key, sas_token": "one of the two, or a service principal, or Azure's default credential. "
    "Reading takes the role Storage Blob Data Reader",
    "tenant_id, client_id, client_secret": "a service principal",
}
DOCUMENTS = (
    "A line `key:: value` is a pair; lines that are indented or empty go on with its value. Headings begin sections; "
    "what stands before the first is section `_default`, YAML between `---` lines at the beginning `_front_matter`.",
    "Text that is no pair is kept under the key `_text`, fenced code with it.",
    "`doc_id` is that of the front matter (`doc_id`, then `id`), else the path of the file, which no other file has.",
    *NOTES[2:4],
)
