"""A source of our own, which does whatever its config says sources do to us. Standard library only."""

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
        "updated_at": {"type": "string", "format": "date-time", "airbyte_type": "timestamp_with_timezone"},
    },
}


def stream(name, space):
    return {
        "name": name,
        "namespace": space,
        "json_schema": SCHEMA,
        "supported_sync_modes": ["full_refresh", "incremental"],
        "source_defined_cursor": False,
        "source_defined_primary_key": [["id"]],
    }


WHOLE = {**stream("things", "main"), "supported_sync_modes": ["full_refresh"]}
CATALOG = {"streams": [WHOLE, stream("events", "main"), stream("hanging", "main"), stream("events", "other")]}


def loaded(path):
    with open(path) as file:
        return json.load(file)


def say(kind, **more):
    sys.stdout.write(json.dumps({"type": kind, **more}) + "\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb")
    for name in ("config", "catalog", "state"):
        parser.add_argument("--" + name)
    args = parser.parse_args()
    config = loaded(args.config)
    say("LOG", log={"level": "WARN", "message": f"begin with {config.get('token')}"})
    if args.verb == "check":
        say("CONNECTION_STATUS", connectionStatus=checked(config))
    elif args.verb == "discover":
        login(config)
        say("CATALOG", catalog=CATALOG)
    else:
        login(config)
        if config.get("tells"):
            facts = {"catalog": loaded(args.catalog), "state": loaded(args.state) if args.state else None}
            with open(config["tells"], "w") as file:
                json.dump(facts, file)
        read(config, loaded(args.catalog)["streams"][0], loaded(args.state) if args.state else [])


def checked(config):
    if config.get("token") != "t0pS3cretOfTap":
        return {"status": "FAILED", "message": f"401 Unauthorized: {config.get('token')}"}
    if config.get("down"):
        return {"status": "FAILED", "message": "connection refused"}
    return {"status": "SUCCEEDED"}


def login(config):
    if checked(config)["status"] == "FAILED":
        fail("config_error", checked(config)["message"])


def fail(kind, message):
    say("TRACE", trace={"type": "ERROR", "error": {"message": message, "failure_type": kind}})
    sys.exit(1)


def read(config, configured, state):
    name = configured["stream"]["name"]
    if name == "hanging":
        time.sleep(600)
    incremental = configured["sync_mode"] == "incremental"
    since = before(config, state) if incremental else ""
    with open(config["path"]) as file:
        lines = file.read().splitlines()
    if incremental:
        lines = sorted(lines, key=moment)
    top, fault = since, config.get("fault", {})
    for number, line in enumerate(lines):
        if incremental and moment(line) < since:
            continue
        if fault.get("at") == number:
            misbehave(fault["what"], config)
        top = max(top, moment(line)) if incremental else "now"
        record = f'{{"stream": "{name}", "namespace": "main", "emitted_at": 1, "data": {line}}}'
        sys.stdout.write('{"type": "RECORD", "record": ' + record + "}\n")
        if number % 1000 == 999:
            say("STATE", state=after(config, name, top))
    say("STATE", state=after(config, name, top) if incremental else over(name))


def moment(line):
    return json.loads(line)["updated_at"]


def descriptor(name):
    return {"name": name, "namespace": "main"}


def after(config, name, top):
    kind = config.get("state", "STREAM")
    if kind == "LEGACY":
        return {"data": {name: top}}
    each = {"stream_descriptor": descriptor(name), "stream_state": {"updated_at": top, "page": 1.5}}
    if kind == "GLOBAL":
        return {"type": "GLOBAL", "global": {"shared_state": {"lsn": 5}, "stream_states": [each]}}
    return {"type": "STREAM", "stream": each, "sourceStats": {"recordCount": 1.0}}


def before(config, state):
    kind = config.get("state", "STREAM")
    if not state:
        return ""
    if kind == "LEGACY":
        return state["events"]
    if kind == "GLOBAL":
        assert state[0]["global"]["shared_state"] == {"lsn": 5}
        return state[0]["global"]["stream_states"][0]["stream_state"]["updated_at"]
    return state[0]["stream"]["stream_state"]["updated_at"]


def over(name):
    state = {"__ab_full_refresh_sync_complete": True}
    return {"type": "STREAM", "stream": {"stream_descriptor": descriptor(name), "stream_state": state}}


def misbehave(what, config):
    if what == "no namespace":
        say("RECORD", record={"stream": "events", "data": {"id": 77, "updated_at": "2026-03-01T00:00:00Z"}})
    if what == "die":
        sys.stdout.flush()
        os.kill(os.getpid(), 9)
    elif what == "print":
        print("Fetching page 3 ...")
    elif what in ("transient_error", "system_error", "config_error"):
        fail(what, f"it went wrong with {config['token']}")
    elif what == "incomplete":
        status = {"stream_descriptor": descriptor("events"), "status": "INCOMPLETE"}
        say("TRACE", trace={"type": "STREAM_STATUS", "stream_status": status})
    elif what == "control":
        say("CONTROL", control={"type": "CONNECTOR_CONFIG", "connectorConfig": {"config": {"refresh_token": "new"}}})
    elif what == "gone":
        data = {"id": 2, "_ab_cdc_deleted_at": "2026-03-01T00:00:00Z"}
        say("RECORD", record={"stream": "events", "namespace": "main", "data": data})
    elif what == "other stream":
        say("RECORD", record={"stream": "events", "namespace": "other", "data": {"id": 4711}})


main()
