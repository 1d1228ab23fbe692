from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dativo_provider import __version__
from dativo_provider.cli import main as cli
from dativo_provider.errors import ConfigurationError, InternalError
from tests.support import requirement

HEAVY = ("airflow", "pyarrow", "duckdb", "pyiceberg", "pandas", "sqlalchemy", "boto3", "pydantic", "rich", "yaml")


def dativo(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dativo_provider.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@requirement("CLI-04")
def test_version_is_one_line() -> None:
    done = dativo("version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"dativo {__version__}\n", "")


def test_version_in_json_names_the_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert cli.main(["version", "--json"]) == 0
    assert {"dativo", "python", "apache-airflow", "pyiceberg"} <= json.loads(capsys.readouterr().out).keys()
    assert cli.main(["version", "--verbose"]) == 0
    assert "pyarrow" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["version"], ["--help"], ["run", "--help"]])
def test_help_and_version_import_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom dativo_provider.cli.main import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@requirement("ERR-06")
@pytest.mark.parametrize(
    "words", [[], ["frobnicate"], ["run"], ["run", "--config", "a", "--job-dir", "b"], ["-q", "-v", "version"]]
)
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
    assert "usage: dativo" in capsys.readouterr().err


def test_every_verb_has_a_file_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    files = {path.stem for path in Path(cli.__file__).parent.glob("*.py")}
    assert {name.replace("-", "_") for name in cli.VERBS} <= files
    for name in cli.VERBS:
        with pytest.raises(SystemExit) as caught:
            cli.main([name, "--help"])
        assert caught.value.code == 0
    capsys.readouterr()


class Broken:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    def add_arguments(self, parser: object) -> None: ...

    def run(self, args: object) -> int:
        raise self._error


def run_broken(error: BaseException, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(cli, "verb", lambda name: Broken(error))
    return cli.main([*words, "version"])


@requirement("ERR-08", "ERR-06")
def test_an_error_says_what_where_and_what_to_do_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ConfigurationError("unknown key 'tabels'", where="orders.yaml:3:5", remedy="did you mean 'tables'?")
    assert run_broken(error, monkeypatch) == 2
    err = capsys.readouterr().err
    assert err == "dativo: orders.yaml:3:5: unknown key 'tabels'\n  → did you mean 'tables'?\n"


def test_verbose_adds_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_broken(ConfigurationError("no"), monkeypatch, "--verbose") == 2
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), InternalError("the books do not balance")])
def test_a_bug_asks_to_be_reported(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_broken(error, monkeypatch) == 2
    err = capsys.readouterr().err
    assert "please report it" in err
    assert str(error) in err
    assert "Traceback" not in err


def test_a_missing_file_is_no_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_broken(FileNotFoundError(2, "No such file or directory", "jobs/x.yaml"), monkeypatch) == 2
    assert capsys.readouterr().err == "dativo: jobs/x.yaml: No such file or directory\n"


def test_an_interrupt_exits_with_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_broken(KeyboardInterrupt(), monkeypatch) == 2
    assert "interrupted" in capsys.readouterr().err


def test_with_json_the_error_is_an_object_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    class Json(Broken):
        def add_arguments(self, parser: object) -> None:
            parser.add_argument("--json", action="store_true")  # type: ignore[attr-defined]

    for error, code in ((ConfigurationError("no"), "CONFIGURATION_ERROR"), (ValueError("x"), "INTERNAL_ERROR")):
        monkeypatch.setattr(cli, "verb", lambda name, error=error: Json(error))
        assert cli.main(["version", "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["error_code"] == code


def test_secrets_are_masked_in_messages_and_tracebacks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dativo_provider.observability import MASKER

    MASKER.add("sw0rdfish-1234")
    assert run_broken(RuntimeError("login with sw0rdfish-1234 failed"), monkeypatch, "--verbose") == 2
    err = capsys.readouterr().err
    assert "sw0rdfish-1234" not in err
    assert "Traceback" in err


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m dativo_provider.cli.main schema --all | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
