"""`dativo connector test`: what the first records of an API say about its spec."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.cli.output import print_json, say
from dativo_provider.errors import ConfigurationError
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.connectors.rest.reader import RestReader
    from dativo_provider.connectors.rest.trial import Trial


def run(args: argparse.Namespace) -> int:
    trials = [trial for path in args.paths for trial in _of_job(Path(path), args)]
    if args.json:
        print_json([asdict(trial) for trial in trials])
    else:
        for trial in trials:
            _show(trial)
    return int(ExitCode.PARTIAL if any(trial.remarks for trial in trials) else ExitCode.OK)


def _of_job(path: Path, args: argparse.Namespace) -> Iterator[Trial]:
    from dativo_provider.connectors.rest.reader import RestReader
    from dativo_provider.connectors.rest.trial import try_stream
    from dativo_provider.pipeline.workplace import reading

    job = context.load_job(path, args)
    ctx = context.run_context(args, job)
    with closing(ctx.kept), reading(job, ctx) as reader:
        if not isinstance(reader, RestReader):
            raise ConfigurationError(
                f"'{job.source.connector}' is not read by a spec", where=str(path),
                remedy="name a job whose source_connector is an API",
            )  # fmt: skip
        reader.check()
        for name in args.object or [stream.object or stream.name for stream in job.streams]:
            yield try_stream(reader, _known(reader, name), _misfits)


def _misfits(values: pa.Array, kind: str) -> int:
    """As a run would judge it: text that says a number, a moment or a flag is one."""
    from dativo_provider.transform.cast import convert

    failed = convert(values, kind)[1]
    return 0 if failed is None else int(failed.true_count)


def _known(reader: RestReader, name: str) -> str:
    from dativo_provider.connectors.rest.streams import spec_of
    from dativo_provider.model.job import ContractSpec, StreamSpec

    return spec_of(reader.api, StreamSpec(name, name, name, ContractSpec(name)))[0]


def _show(trial: Trial) -> None:
    say(f"{trial.stream}: {trial.rows} records read")
    for column, count in trial.columns:
        say(f"  {column}: {count} with a value")
    for remark in trial.remarks:
        say(f"  look at this: {remark}")
