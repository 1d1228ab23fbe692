"""The quality report of a run, from the link of its task: what Airflow's web server answers, and to whom."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.dag_factory.folders import make_job
from tests.dag_factory.test_approval import api
from tests.dag_factory.test_run import LINK, root, run, xcoms
from tests.support import requirement

__all__ = ["api", "root"]
BLOCKS = """\
data_contract:
  quality_checks:
    - {type: row_count, min: 100, name: a whole delivery}
"""


@requirement("DQ-17", "SN-18")
def test_the_task_of_a_blocked_run_links_to_its_report_which_only_who_may_see_the_dag_gets(root, api, monkeypatch):
    make_job(root, "globex")
    make_job(root, more=BLOCKS)
    done = run(root)
    assert done.state == "failed"
    link = urlsplit(xcoms(done)["orders.audit", LINK])
    assert link.path.startswith("/dativo/reports/acme.orders/")
    page = api.get(link.path)
    assert page.status_code == 200, page.text
    assert "text/html" in page.headers["Content-Type"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "a whole delivery" in page.text
    assert "<td>blocked</td>" in page.text
    other = api.get(link.path.replace("acme.orders", "globex.orders"))
    assert (other.status_code, "blocked" in other.text) == (404, False), "the DAG one may see is not the run's"
    assert api.get(f"{link.path}x").status_code == 404
    monkeypatch.setitem(api.headers, "Authorization", "Bearer nobody")
    assert api.get(link.path).status_code in (401, 403)
