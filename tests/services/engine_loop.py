"""The loop of an engine's process: a JSON job on each line of stdin, its answer on a line of stdout.

Runs in the engine's own interpreter, which has nothing of ours.
"""

import datetime
import decimal
import json
import sys
import traceback
import uuid

ANSWER = "answer: "


def plain(value):
    """As JSON can hold it, the same from every engine: moments in UTC, exact numbers and ids as text."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat()
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return str(value) if isinstance(value, decimal.Decimal | uuid.UUID) else value


def serve(answer):
    """`answer(job)` yields the rows of each of its statements."""
    for line in sys.stdin:
        try:
            said = {"rows": [[plain(row) for row in rows] for rows in answer(json.loads(line))]}
        except Exception:
            said = {"error": traceback.format_exc()}
        print(f"{ANSWER}{json.dumps(said)}", flush=True)
