"""Errors as a person reads them: what happened, where, what to do. A traceback only for bugs or when asked for."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from dativo_provider.errors import DativoError, InternalError
from dativo_provider.vocabulary import ExitCode

__all__ = ["facts_of", "interrupted", "report"]

PLEASE_REPORT = "this is a bug in Dativo: please report it with the output of the same command and --verbose"


def report(error: Exception, *, verbose: bool = False, as_json: bool = False) -> int:
    """Prints `error` and returns the exit code. With `as_json` the error object goes to stdout."""
    from dativo_provider.observability import MASKER

    if verbose:
        print(MASKER.mask("".join(traceback.format_exception(error))), file=sys.stderr, end="")
    if as_json:
        from dativo_provider.cli.output import print_json

        print_json({"error": MASKER.value(facts_of(error))})
    print(f"dativo: {MASKER.mask(message_of(error))}", file=sys.stderr)
    return int(ExitCode.FAILED)


def message_of(error: Exception) -> str:
    if isinstance(error, DativoError) and not isinstance(error, InternalError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    text = str(error) if isinstance(error, DativoError) else f"{type(error).__name__}: {error}"
    return f"{text}\n  → {PLEASE_REPORT}"


def facts_of(error: Exception) -> dict[str, Any]:
    if isinstance(error, DativoError):
        return error.to_dict()
    return InternalError(f"{type(error).__name__}: {error}", remedy=PLEASE_REPORT).to_dict()


def interrupted() -> int:
    print("dativo: interrupted", file=sys.stderr)
    return int(ExitCode.FAILED)
