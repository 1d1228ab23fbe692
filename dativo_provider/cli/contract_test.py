"""`dativo contract test CONTRACT DATA`: the contract's checks on rows that exist, as `dativo check-data` does it.

Ends with 0 when every row would be published, with 1 when some would be set aside, with 2 when a run would be blocked.
"""

from __future__ import annotations

import argparse

from dativo_provider.cli import check_data
from dativo_provider.errors import ConfigurationError


def run(args: argparse.Namespace) -> int:
    if len(args.paths) != 2:
        raise ConfigurationError(
            "test needs a contract and its data",
            remedy="dativo contract test CONTRACT FILE.parquet, or a folder of them, FILE.csv, or NAMESPACE.TABLE",
        )
    contract, data = args.paths
    args.rules, args.data, args.stream = contract, str(data), args.table
    return check_data.run(args)
