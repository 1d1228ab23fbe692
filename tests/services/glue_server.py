"""Runs moto's server on a port, with the one thing its Glue lacks: `UpdateTable` refuses a stale `VersionId`.
https://docs.aws.amazon.com/glue/latest/webapi/API_UpdateTable.html"""

import sys
import threading

from moto.core.exceptions import JsonRESTError
from moto.glue.responses import GlueResponse
from moto.server import main

_lock = threading.Lock()
_update = GlueResponse.update_table


def update_table(self):
    wanted, database, table = (self.parameters.get(key) for key in ("VersionId", "DatabaseName", "TableInput"))
    with _lock:
        found = self.glue_backend.get_table(database, table["Name"])
        if wanted and wanted != str(found.as_dict()["VersionId"]):
            raise JsonRESTError(
                "ConcurrentModificationException", "Update table failed due to concurrent modifications."
            )
        return _update(self)


GlueResponse.update_table = update_table
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
