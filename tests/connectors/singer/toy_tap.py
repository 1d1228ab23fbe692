"""A tap of our own, which does whatever its config says taps do to us. Standard library only."""

import argparse
import json
import os
import sys
import time

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["null", "string"]},
        "amount": {"type": ["null", "number"], "multipleOf": 0.0001, "maximum": 1e14, "minimum": -1e14},
        "updated_at": {"type": "string", "format": "date-time"},
    },
}
ROOT = {"valid-replication-keys": ["updated_at"], "table-key-properties": ["id"], "selected": False}
CATALOG = {
    "streams": [
        {
            "tap_stream_id": f"main-{name}",
            "stream": name,
            "schema": SCHEMA,
            "key_properties": ["id"],
            "metadata": [{"breadcrumb": [], "metadata": ROOT}],
        }
        for name in ("events", "parents", "hanging")
    ]
}
KEYLESS = {"tap_stream_id": "main-things", "stream": "things", "schema": SCHEMA, "metadata": []}
ALIASED = {**KEYLESS, "tap_stream_id": "things", "stream": "others"}  # its id is the name of an earlier stream
CATALOG["streams"] += [KEYLESS, ALIASED]


def loaded(path):
    with open(path) as file:
        return json.load(file)


def say(kind, **more):
    sys.stdout.write(json.dumps({"type": kind, **more}) + "\n")


def complain(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


def login(config):
    if config.get("token") != "t0pS3cretOfTap":
        complain(f"CRITICAL 401 Client Error: Unauthorized for token {config.get('token')}")
    if config.get("down"):
        complain("CRITICAL ConnectionError: connection refused")


def main():
    parser = argparse.ArgumentParser()
    for name in ("config", "catalog", "state"):
        parser.add_argument("--" + name)
    parser.add_argument("--discover", action="store_true")
    args = parser.parse_args()
    config = loaded(args.config)
    print(f"INFO begin with {config.get('token')}", file=sys.stderr)
    login(config)
    if args.discover:
        json.dump(CATALOG, sys.stdout)
        return
    if config.get("tells"):
        tell(config, args)
    stream = next(each for each in loaded(args.catalog)["streams"] if each["selected"])
    if stream["stream"] == "hanging":
        time.sleep(600)
    state = loaded(args.state) if args.state else {}
    read(config, stream, state)


def tell(config, args):
    """What the outer world can see of us, for a test."""
    files = {name: oct(os.stat(getattr(args, name)).st_mode & 0o777) for name in ("config", "catalog")}
    facts = {"files": files, "environment": dict(os.environ), "folder": os.getcwd(), "pid": os.getpid()}
    facts["catalog"], facts["state"] = loaded(args.catalog), loaded(args.state) if args.state else None
    with open(config["tells"], "w") as file:
        json.dump(facts, file)


def read(config, stream, state):
    root = next(each["metadata"] for each in stream["metadata"] if not each["breadcrumb"])
    incremental = root.get("replication-method") == "INCREMENTAL"
    since = state.get("bookmarks", {}).get("events", {}).get("updated_at", "") if incremental else ""
    say("SCHEMA", stream="events", schema=SCHEMA, key_properties=["id"])
    say("ACTIVATE_VERSION", stream="events", version=1)
    with open(config["path"]) as file:
        lines = file.read().splitlines()
    if incremental:
        lines = sorted(lines, key=moment)
    fault, top = config.get("fault", {}), since
    for number, line in enumerate(lines):
        if incremental and moment(line) < since:
            continue
        misbehave(fault, number, config)
        top = max(top, moment(line)) if incremental else "now"
        sys.stdout.write('{"type": "RECORD", "stream": "' + stream["stream"] + '", "record": ' + line + "}\n")
        if number % 1000 == 999:
            say("STATE", value=bookmark(top))
    say("STATE", value={**bookmark(top), "currently_syncing": None})
    misbehave(fault, "end", config)


def bookmark(top):
    return {"bookmarks": {"events": {"updated_at": top, "page": 1.5}}}


def moment(line):
    return json.loads(line)["updated_at"]


def misbehave(fault, number, config):
    if fault.get("at") != number:
        return
    what = fault["what"]
    if what == "print":
        print("Fetching page 3 ...")
    elif what == "show":
        print("logged in with", config["token"])
    elif what == "half a message":
        print('{"type": "RECORD", "stream": "events", "record": {"id": 1, "na')
    elif what == "no message":
        print('{"hello": "world"}')
    elif what == "die":
        sys.stdout.flush()
        os.kill(os.getpid(), 9)
    elif what == "hang":
        sys.stdout.flush()
        time.sleep(600)
    elif what == "stay behind":
        if os.fork() == 0:
            time.sleep(600)
    elif what == "exit":
        complain(f"CRITICAL HTTP 503 of the server, asked with {config['token']}", 3)
    elif what == "other stream":
        say("RECORD", stream="parents", record={"id": 4711})
    elif what == "gone":
        say("RECORD", stream="events", record={"id": 2, "_sdc_deleted_at": "2026-03-01T00:00:00Z"})
    elif what == "unannounced":
        say("RECORD", stream="events", record={"id": 77, "nickname": "x", "updated_at": "2026-03-01T00:00:00Z"})
    elif what == "swell":
        held = bytearray(600 << 20)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(30)
    elif what == "batch":
        import gzip

        root = (
            config["batch_config"]["storage"]["root"].removeprefix("file://") if not fault.get("elsewhere") else "/tmp"
        )
        path = os.path.join(root, f"batch-{os.getpid()}.jsonl.gz")
        with gzip.open(path, "wt") as file:
            for each in range(9001, 9004):
                file.write(json.dumps({"id": each, "updated_at": "2026-03-01T00:00:00Z"}) + "\n")
        encoding = {"format": "jsonl", "compression": "gzip"}
        batch = {"stream": "events", "encoding": encoding, "manifest": ["file://" + path], "type": "BATCH"}
        sys.stdout.write(json.dumps({"note": "x" * fault.get("head", 0), **batch}) + "\n")


main()
