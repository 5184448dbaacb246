"""The command line, as a person types it."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledgerx.cli.main import main
from ledgerx.exchange import Exchange
from ledgerx.exchange.snapshot_files import list_snapshots
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.version import __version__


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def fails(*arguments, text):
    done = run(*arguments)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert text in done.stderr


def misused(*arguments, text):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert text in done.stderr


class TestGroup:
    def test_help_names_every_command_and_loads_none(self):
        program = "import sys\nfrom ledgerx.cli.main import main\ntry:\n    main(['--help'])\nfinally:\n"
        program += "    print(sorted(set(sys.modules) & {'zmq', 'google.protobuf', 'nacl', 'starlette'}))"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for word in ("account", "exchange", "flow", "keygen", "--fetch-exchange-key", "[]"):
            assert word in done.stdout

    def test_version(self):
        assert __version__ in run("--version").stdout

    @pytest.mark.parametrize("command", ["account", "exchange", "flow", "keygen"])
    def test_each_command_explains_itself(self, command):
        assert "Usage" in run(command, "--help").stdout

    def test_an_unknown_command_is_refused(self):
        assert run("dance").exit_code == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            ["exchange", "--data-dir", ""],
            ["keygen", "--out", ""],
            ["account", "list", "--data-dir", ""],
            ["account", "add", "alice", "--public-key", "k", "--data-dir", ""],
            ["flow", ""],
            ["demo", "--flow", ""],
        ],
    )
    def test_an_empty_path_is_not_the_present_folder(self, arguments):
        misused(*arguments, text="it is empty: give a path")

    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_an_output_that_cannot_be_written_is_one_sentence(self, tmp_path, unbuffered):
        command = [sys.executable, "-m", "ledgerx.cli.main", "keygen", "--out", str(tmp_path / "key")]
        with Path("/dev/full").open("w") as full:
            environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
        assert done.returncode == 1
        assert done.stderr.startswith("pyledgerx: cannot write the output: No space left")
        assert done.stderr.count("\n") == 1


class TestKeygen:
    def test_it_writes_a_certificate_and_prints_the_public_key(self, tmp_path):
        out = tmp_path / "trader.key"
        done = run("keygen", "--out", out)
        assert done.stdout.strip().encode() == KeyPair.load_certificate(out).public
        assert out.stat().st_mode & 0o777 == 0o600

    def test_it_does_not_overwrite_unless_told(self, tmp_path):
        out = tmp_path / "trader.key"
        run("keygen", "--out", out)
        before = out.read_text()
        fails("keygen", "--out", out, text="--force")
        assert out.read_text() == before
        assert run("keygen", "--out", out, "--force").exit_code == 0
        assert out.read_text() != before

    def test_a_folder_that_is_not_there_is_an_error(self, tmp_path):
        fails("keygen", "--out", tmp_path / "no" / "trader.key", text="name a file in a folder that is there")

    @pytest.mark.parametrize("force", [[], ["--force"]])
    def test_a_folder_is_no_certificate_file(self, tmp_path, force):
        misused("keygen", "--out", tmp_path, *force, text=f"File '{tmp_path}' is a directory")


class TestAccounts:
    def test_they_are_added_by_key_or_certificate_listed_and_removed(self, tmp_path):
        folder, out = tmp_path / "D", tmp_path / "trader.key"
        bob = KeyPair.generate()
        alice = run("keygen", "--out", out).stdout.strip()
        done = run("account", "add", "alice", "--public-key", out, "--data-dir", folder)
        assert done.stdout == f"account 1 alice {alice}\n"
        run("account", "add", "bob", "--public-key", bob.public.decode(), "--data-dir", folder)
        assert run("account", "remove", "alice", "--data-dir", folder).stdout == "removed account 1 alice\n"
        rows = run("account", "list", "--data-dir", folder, "--json").stdout.splitlines()
        assert [(row["name"], row["active"]) for row in map(json.loads, rows)] == [
            ("alice", False),
            ("bob", True),
        ]
        listed = run("account", "list", "--data-dir", folder).stdout.splitlines()
        assert ["removed" in line for line in listed] == [True, False]

    def test_a_running_venue_sees_them_at_once(self, tmp_path):
        with Exchange(tmp_path, http=False) as exchange:
            key = KeyPair.generate().public.decode()
            assert run("account", "add", "alice", "--public-key", key, "--data-dir", tmp_path).exit_code == 0
            assert [row.name for row in exchange.accounts()] == ["alice"]
            assert "alice" in run("account", "list", "--data-dir", tmp_path).stdout

    def test_what_cannot_be_done_is_said_on_stderr(self, tmp_path):
        folder, key = tmp_path / "D", KeyPair.generate().public.decode()
        fails("account", "list", "--data-dir", folder, text="no data folder")
        fails("account", "list", "--data-dir", tmp_path, text=f"no venue has used {tmp_path} yet")
        fails("account", "remove", "x", "--data-dir", folder, text="no data folder")
        fails("account", "add", "x", "--public-key", "short", "--data-dir", folder, text="public key")
        run("account", "add", "x", "--public-key", key, "--data-dir", folder)
        fails("account", "add", "x", "--public-key", key, "--data-dir", folder, text="in use")
        note = tmp_path / "note"
        note.write_text("no certificate\n")
        fails(
            "account", "add", "y", "--public-key", note, "--data-dir", folder, text=f"certificate {note}: no"
        )
        fails("account", "add", "y", "--public-key", key, "--data-dir", note, text="a file is in the way")


class TestFetch:
    def test_the_key_alone_is_printed(self, tmp_path):
        with Exchange(tmp_path) as exchange:
            done = run("--fetch-exchange-key", f"127.0.0.1:{exchange.http_port}")
            assert (done.exit_code, done.stdout.encode(), done.stderr) == (
                0,
                exchange.public_key + b"\n",
                "",
            )
            for port in (exchange.request_port, exchange.publish_port):
                fails("--fetch-exchange-key", f"127.0.0.1:{port}", text=f"127.0.0.1:{exchange.http_port}")

    def test_errors_go_to_stderr(self):
        fails("--fetch-exchange-key", "no such host", text="no such host")


class TestExchange:
    def start(self, folder, *arguments):
        command = [sys.executable, "-m", "ledgerx.cli.main", "exchange", "--data-dir", str(folder)]
        return subprocess.Popen(
            [*command, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def stop(self, process):
        process.terminate()
        return process.communicate(timeout=30)

    def test_json_is_one_line_once_it_is_ready(self, tmp_path):
        ready = []
        for _ in range(2):
            process = self.start(tmp_path, "--json")
            ready.append(json.loads(process.stdout.readline()))
            assert self.stop(process) == ("", "")
        names = ["host", "request_port", "publish_port", "http_port", "streaming_port", "public_key"]
        assert list(ready[0]) == names
        assert ready[0] == ready[1]  # the same ports and key again
        assert ready[0]["streaming_port"]
        assert ready[0]["publish_port"] - 1 == ready[0]["request_port"] == ready[0]["http_port"] + 1

    def test_for_people_it_says_what_to_type_next(self, tmp_path):
        process = self.start(tmp_path)
        lines = [process.stdout.readline() for _ in range(7)]
        assert "The venue is open on 127.0.0.1" in lines[0]
        assert any("pyledgerx account add" in line for line in lines)
        self.stop(process)

    def test_a_contracts_file_is_used_and_a_bad_one_refused(self, tmp_path):
        file = tmp_path / "contracts.toml"
        file.write_text("[[contract]]\ncontract_id = 1\n")
        fails("exchange", "--data-dir", tmp_path / "D", "--port", "0", "--contracts", file, text="contract 1")

    def test_a_file_where_the_folder_should_be_is_named(self, tmp_path):
        file = tmp_path / "file"
        file.touch()
        fails("exchange", "--data-dir", file, "--port", "0", text=f"{file}: a file is in the way")

    def test_a_port_without_neighbours_is_refused_with_the_range(self, tmp_path):
        fails("exchange", "--data-dir", tmp_path, "--port", "1", text="choose 2 to 65534, or 0")
        misused("exchange", "--data-dir", tmp_path, "--port", "65535", text="0<=x<=65534")

    def test_a_folder_in_use_is_named(self, tmp_path):
        venue = Venue.open(tmp_path)
        fails("exchange", "--data-dir", tmp_path, "--port", "0", text=str(tmp_path))
        venue.close()

    def test_it_takes_snapshots_and_retains_as_it_is_told(self, tmp_path):
        process = self.start(tmp_path, "--json", "--snapshot-every", "3", "--retain", "1000000")
        assert json.loads(process.stdout.readline())
        pause = threading.Event()
        while not list_snapshots(tmp_path):
            pause.wait(0.05)
        assert self.stop(process) == ("", "")
        process = self.start(tmp_path, "--json", "--snapshot-every", "0")
        assert json.loads(process.stdout.readline())
        assert self.stop(process) == ("", "")

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["--data-dir", "D", "--port", "x"],
            ["--data-dir", "D", "--sync", "sometimes"],
            ["--data-dir", "D", "--snapshot-every", "-1"],
            ["--data-dir", "D", "--retain", "long"],
        ],
    )
    def test_wrong_usage_exits_with_2(self, arguments):
        assert run("exchange", *arguments).exit_code == 2
