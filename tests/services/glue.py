"""AWS Glue: moto's server, made to check a table's version as Glue does. https://docs.getmoto.org/en/latest/docs/services/glue.html"""

from __future__ import annotations

import importlib.util
import json
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services.builds import answers
from tests.services.framework import Server, Unavailable, free_port, scratch

HINT = "install moto[server]"


@dataclass
class Glue:
    endpoint: str
    server: Server
    region: str = "us-east-1"

    @property
    def properties(self) -> dict[str, str]:
        """In PyIceberg's words."""
        return {
            "type": "glue",
            "glue.endpoint": self.endpoint,
            "glue.region": self.region,
            "glue.access-key-id": "testing",
            "glue.secret-access-key": "testing",
        }

    def client(self) -> Any:
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client("glue", endpoint_url=self.endpoint, region_name=self.region, **keys)

    def reset(self) -> None:
        """An account without databases."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")) as answer:
            assert json.load(answer)["status"] == "ok"

    def stop(self) -> None:
        self.server.stop()


def start() -> Glue:
    if not importlib.util.find_spec("moto"):
        raise Unavailable(f"no AWS Glue: {HINT}")
    folder, port = scratch("glue"), free_port()
    url = f"http://127.0.0.1:{port}"
    server = Server([sys.executable, str(Path(__file__).with_name("glue_server.py")), str(port)], folder)
    server.wait_until(lambda: answers(f"{url}/moto-api/"))
    return Glue(url, server)
