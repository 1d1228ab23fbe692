"""GitHub: lists, files of trees, the login of an app."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dativo_provider.errors import CredentialError, SourceChanged
from tests.connectors.vendors.github import GitHub
from tests.connectors.vendors.suite import Read, VendorSuite, fault_on
from tests.connectors.vendors.vendor import Answer, Asked, Quota, storm
from tests.support import requirement


@requirement("CON-16")
class TestGitHub(VendorSuite):
    connector, stream, make = "github", "issues", GitHub
    deletes = False


class TestGitHubPulls(VendorSuite):
    """Newest first and no lower bound: reading ends below the window."""

    connector, stream, make = "github", "pulls", GitHub
    deletes, many = False, 2_000


class Tried:
    """The fake of the suite, and its way to read."""

    make = GitHub
    vendor = VendorSuite.vendor
    suite = TestGitHub()

    def read(self, vendor: GitHub, stream: str, since: Any = None, **more: Any) -> Read:
        return self.suite.read(vendor, since, stream, **more)


class TestFiles(Tried):
    def contents(self, vendor: GitHub, since: Any = None) -> Read:
        return self.read(vendor, "file_contents", since)

    @requirement("CON-16")
    def test_later_runs_read_the_files_that_differ_and_tell_those_that_are_gone(self, vendor: GitHub) -> None:
        vendor.push({"README.md": b"# Shop", "src/a.py": b"a = 1\n", "src/b.py": b"b = 1\n"})
        first = self.contents(vendor)
        assert {row["path"]: row["content"] for row in first.rows} == {
            "README.md": "# Shop", "src/a.py": "a = 1\n", "src/b.py": "b = 1\n",
        }  # fmt: skip
        again = self.contents(vendor, first.cursor)
        assert (again.rows, again.gone) == ([], [])
        vendor.push({"README.md": b"# Shop", "src/a.py": b"a = 2\n", "lib/b.py": b"b = 1\n"})
        asked = len(vendor.asked)
        later = self.contents(vendor, again.cursor)
        assert {row["path"]: row["content"] for row in later.rows} == {"src/a.py": "a = 2\n", "lib/b.py": "b = 1\n"}
        assert [row["path"] for row in later.gone] == ["src/b.py"]
        assert sum("/blobs/" in each.path for each in vendor.asked[asked:]) == 2

    @requirement("CON-16")
    def test_what_is_no_text_or_too_large_has_a_row_that_says_so(self, vendor: GitHub) -> None:
        vendor.push({"a.png": b"\x89PNG\0\1", "latin.txt": "Stra\xdfe".encode("latin-1"), "empty": b"",
                     "utf.md": "Straße".encode(), "big.csv": b"x" * 1_000_001})  # fmt: skip
        made = self.contents(vendor)
        assert {row["path"]: (row["content"], row["skipped"]) for row in made.rows} == {
            "a.png": (None, "binary"), "latin.txt": (None, "binary"), "big.csv": (None, "large"),
            "utf.md": ("Straße", None), "empty": ("", None),
        }  # fmt: skip
        assert made.told("without_text") == {"binary": 2, "large": 1}
        assert sum("/blobs/" in each.path for each in vendor.asked) == 4

    def test_a_tree_too_large_for_one_answer_is_read_folder_by_folder(self, vendor: GitHub) -> None:
        files = {f"{folder}/{deep}/{name}.md": b"x" for folder in "abc" for deep in "xy" for name in range(3)}
        vendor.push(files)
        vendor.most = 10
        made = self.read(vendor, "files", full=True)
        assert {row["path"] for row in made.rows if row["type"] == "blob"} == set(files)
        assert len(made.rows) == len(files) + 9
        vendor.most = 2
        with pytest.raises(SourceChanged, match="more entries than GitHub lists"):
            self.read(vendor, "files", full=True)

    def test_patterns_choose_files_and_other_patterns_later_read_what_they_add(self, vendor: GitHub) -> None:
        vendor.push({"README.md": b"# Shop", "src/a.py": b"a", "docs/x.md": b"x"})
        vendor.connected(paths="*.md")
        first = self.contents(vendor)
        assert first.keys("path") == ["README.md", "docs/x.md"]
        vendor.connected(paths="*.py, docs/*")
        later = self.contents(vendor, first.cursor)
        assert (later.keys("path"), [row["path"] for row in later.gone]) == (["src/a.py"], ["README.md"])

    def test_a_tree_that_git_no_longer_has_takes_a_full_read(self, vendor: GitHub) -> None:
        vendor.push({"a": b"1"})
        first = self.contents(vendor)
        vendor.trees.clear()
        vendor.push({"a": b"2"})
        with pytest.raises(SourceChanged) as caught:
            self.contents(vendor, first.cursor)
        assert "--full-refresh" in caught.value.remedy

    @requirement("ERR-02")
    def test_files_survive_faults_and_keep_to_the_limit_of_an_endpoint(self, vendor: GitHub) -> None:
        files = {f"src/{number}.py": f"n = {number}\n".encode() for number in range(400)}
        vendor.push(files)
        vendor.quotas.append(Quota(900, 60, of=lambda asked: "/blobs/" in asked.path))
        vendor.faults.append(storm())
        made = self.contents(vendor)
        assert {row["path"]: row["content"].encode() for row in made.rows} == files
        assert [quota.refused for quota in vendor.quotas] == [0] * len(vendor.quotas)

    def test_files_and_issues_are_documents_where_the_job_stores_such(self, vendor: GitHub) -> None:
        vendor.push({"README.md": b"# Shop\n\nOpen at *nine*.", "old.md": b"x"})
        spec = replace(self.suite.spec("file_contents"), documents=True)
        first = self.read(vendor, "", spec=spec)
        [row] = [each for each in first.rows if each["doc_id"] == "README.md"]
        assert (row["raw_md"], row["title"]) == ("# Shop\n\nOpen at *nine*.", "README.md")
        vendor.push({"README.md": b"# Shop\n\nOpen at *nine*."})
        assert [row["doc_id"] for row in self.read(vendor, "", first.cursor, spec=spec).gone] == ["old.md"]
        [number] = vendor.add("issues", 1)
        vendor.clock.forward(hours=1)
        [row] = self.read(vendor, "", spec=replace(self.suite.spec("issues"), documents=True)).rows
        assert (row["doc_id"], row["number"], row["title"]) == (str(number), number, f"No. {number}")

    def test_large_files_make_small_batches(self, vendor: GitHub) -> None:
        vendor.push({f"{number}.txt": bytes([97 + number]) * 900_000 for number in range(12)})
        made = self.contents(vendor)
        assert len(made.rows) == 12
        assert made.largest < 6 << 20


class TestCommits(Tried):
    @requirement("REG-08", "CON-16")
    def test_the_bounds_of_commits_are_those_of_the_run(self, vendor: GitHub) -> None:
        """GitHub includes both bounds, the run its lower one."""
        vendor.add("commits", 3)
        vendor.clock.forward(hours=1)
        first = self.read(vendor, "commits")
        assert len(first.rows) == 3
        vendor.add("commits", 2)  # in the second in which the window ended
        vendor.clock.forward(hours=1)
        assert len(self.read(vendor, "commits", first.cursor).rows) == 2

    def test_a_repository_without_a_commit_has_no_rows(self, vendor: GitHub) -> None:
        assert self.read(vendor, "commits").rows == []
        assert self.read(vendor, "files", full=True).rows == []
        made = self.read(vendor, "file_contents")
        assert made.rows == []
        vendor.push({"README.md": b"# Shop"})
        assert self.read(vendor, "file_contents", made.cursor).keys("path") == ["README.md"]


class TestAddresses(Tried):
    def test_a_renamed_repository_is_followed(self, vendor: GitHub) -> None:
        vendor.renamed_from = "old-shop"
        vendor.connected(repo="old-shop")
        vendor.add("issues", 250)
        vendor.clock.forward(hours=1)
        assert len(self.read(vendor, "issues").rows) == 250

    def test_an_enterprise_server_is_a_base_url(self, vendor: GitHub) -> None:
        vendor.prefix = "/api/v3"
        vendor.connected(base_url=f"{vendor.url}/api/v3")
        vendor.add("issues", 250)
        vendor.clock.forward(hours=1)
        assert len(self.read(vendor, "issues").rows) == 250

    def test_a_repository_that_may_not_be_seen_is_as_one_that_is_not(self, vendor: GitHub) -> None:
        with pytest.raises(SourceChanged) as caught, closing(self.suite.open(vendor, repo="secret")) as reader:
            reader.check()
        assert "private" in caught.value.remedy

    @pytest.mark.parametrize("stream", ["repositories", "issue_comments", "review_comments", "commit_comments",
                                        "releases"])  # fmt: skip
    def test_the_other_lists_are_read_page_by_page(self, vendor: GitHub, stream: str) -> None:
        known = vendor.add(stream, 130)
        vendor.clock.forward(hours=1)
        assert self.read(vendor, stream).keys("id") == known


class TestLimits(Tried):
    """https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api"""

    @requirement("ERR-02", "ERR-05")
    def test_when_the_hour_is_used_up_the_next_request_waits_for_the_reset(self, vendor: GitHub) -> None:
        vendor.add("issues", 5)
        vendor.clock.forward(hours=1)
        by_others = Asked("GET", "/repos/acme/shop", {}, {})
        assert not any(vendor.quotas[0].admit(by_others, vendor.clock.monotonic()) for _ in range(5_000))
        began = vendor.clock.monotonic()
        assert len(self.read(vendor, "issues").rows) == 5
        assert 3_590 <= vendor.clock.monotonic() - began <= 3_700
        assert vendor.quotas[0].refused == 1

    @pytest.mark.parametrize("headers", [{}, {"retry-after": "60"}])
    @pytest.mark.parametrize("status", [403, 429])
    @requirement("ERR-02")
    def test_the_secondary_limit_waits_a_minute_not_an_hour(
        self, vendor: GitHub, status: int, headers: dict[str, str]
    ) -> None:
        vendor.add("issues", 5)
        vendor.clock.forward(hours=1)
        said = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
        vendor.faults.append(fault_on("/issues", Answer(status, said, headers)))
        began = vendor.clock.monotonic()
        assert len(self.read(vendor, "issues").rows) == 5
        assert 60 <= vendor.clock.monotonic() - began <= 120


class TestApp(Tried):
    @pytest.fixture
    def app(self, vendor: GitHub) -> GitHub:
        key = rsa.generate_private_key(65537, 2048)
        vendor.key = key.public_key()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        vendor.connected(token=None, app_id="Iv1.a1", installation_id="4711", private_key=pem)
        return vendor

    @requirement("CON-16")
    def test_an_app_reads_by_tokens_of_its_installation(self, app: GitHub) -> None:
        known = app.add("issues", 250)
        app.clock.forward(hours=1)
        assert self.read(app, "issues").keys("id") == known
        assert app.given == 1

    def test_a_token_that_expires_between_two_pages_is_renewed(self, app: GitHub) -> None:
        known = app.add("issues", 250)
        app.clock.forward(hours=1)

        def expires(asked: Asked) -> Answer | None:
            if "page" in asked.query and app.given == 1:
                app.clock.forward(minutes=61)
            return None

        app.faults.append(expires)
        assert self.read(app, "issues").keys("id") == known
        assert app.given == 2

    def test_an_installation_that_is_not_is_an_error_of_the_credentials(self, app: GitHub) -> None:
        with (
            pytest.raises(CredentialError, match="Not Found"),
            closing(self.suite.open(app, installation_id="1")) as reader,
        ):
            reader.check()
