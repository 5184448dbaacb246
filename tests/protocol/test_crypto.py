"""Keys and certificates: what is accepted, what is refused and how, and that secrets stay secret."""

from __future__ import annotations

import io
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from ledgerx import errors
from ledgerx.protocol.crypto import KeyPair, check_key, raw_key

PAIR = KeyPair.generate()
OTHER = KeyPair.generate()
assert PAIR.private
PRIVATE = PAIR.private


def test_a_new_pair_is_one_that_curve_itself_would_make() -> None:
    assert zmq.curve_public(PRIVATE) == PAIR.public
    public, private = zmq.curve_keypair()
    assert KeyPair(private=private).public == public


def test_keys_are_forty_z85_bytes() -> None:
    assert isinstance(PAIR.public, bytes)
    assert isinstance(PAIR.private, bytes)
    assert len(PAIR.public) == len(PRIVATE) == 40


def test_two_new_pairs_differ() -> None:
    assert PAIR != OTHER


@given(st.binary(min_size=32, max_size=32))
def test_raw_z85_bytes_and_text_are_the_same_key(raw: bytes) -> None:
    encoded = z85.encode(raw)
    assert check_key(raw, "k") == check_key(bytearray(raw), "k") == encoded
    assert check_key(encoded, "k") == check_key(encoded.decode(), "k") == encoded
    assert check_key(encoded + b"\n", "k") == check_key(f" {encoded.decode()}\r\n", "k") == encoded
    assert raw_key(encoded) == raw


def test_a_private_key_alone_brings_its_public_key() -> None:
    assert KeyPair(private=PRIVATE) == PAIR


def test_a_public_key_alone_has_no_private_key() -> None:
    public_only = KeyPair(PAIR.public)
    assert public_only.public == PAIR.public
    assert public_only.private is None
    assert public_only != PAIR


@pytest.mark.parametrize(
    ("value", "given_as"),
    [
        ("a" * 39 + "\u4e00", "character 40"),
        (b"somepublickey", "13 bytes"),
        ("", "0 characters"),
        (b"x" * 31, "31 bytes"),
        ("x" * 32, "32 characters"),
        (b"x" * 41, "41 bytes"),
        (7, "type int"),
        (None, "None"),
        (["k"], "type list"),
        ("~" * 40, "character 1"),
        ("a" * 39 + "é", "character 40"),
        ("#" * 40, "encode no 32 bytes"),
    ],
)
def test_what_is_no_key_is_refused_with_what_it_was_and_what_to_do(value: object, given_as: str) -> None:
    with pytest.raises(errors.InvalidKey) as caught:
        check_key(value, "server_public_key")
    text = str(caught.value)
    assert text.startswith("server_public_key: ")
    assert given_as in text
    assert "40 Z85 characters" in text
    assert "pyledgerx --fetch-exchange-key" in text
    assert isinstance(caught.value, ValueError)


@given(st.text(min_size=5) | st.binary(min_size=5))
def test_an_error_never_shows_the_private_key(value: str | bytes) -> None:
    error = refusal(value)
    if error is not None:
        shown = value if isinstance(value, str) else value.decode("latin-1")
        assert error.__cause__ is None
        assert "private key" in str(error)
        # Only what is a piece of every such sentence may be a piece of this one.
        assert shown not in str(error) or shown in str(refusal(""))


def refusal(private: str | bytes) -> errors.InvalidKey | None:
    try:
        KeyPair(private=private)
    except errors.InvalidKey as error:
        return error
    return None


def test_a_public_key_of_another_private_key_is_refused() -> None:
    with pytest.raises(errors.InvalidKey, match="does not belong to the private key"):
        KeyPair(OTHER.public, PRIVATE)
    with pytest.raises(errors.InvalidKey, match="swapped"):
        KeyPair(PRIVATE, PAIR.public)


def test_a_pair_without_any_key_is_refused() -> None:
    with pytest.raises(errors.InvalidKey, match=r"KeyPair\.generate"):
        KeyPair()


def test_a_pair_equals_its_keys_in_any_form() -> None:
    assert PAIR == KeyPair(PAIR.public, PRIVATE)
    assert PAIR == PAIR.public
    assert PAIR == PRIVATE
    assert PAIR == PAIR.public.decode()
    assert PAIR == raw_key(PAIR.public)
    assert PAIR != OTHER.public
    assert PAIR != b"short"
    assert PAIR != 7
    assert KeyPair(PAIR.public) != PRIVATE


def test_a_pair_contains_its_keys() -> None:
    assert PAIR.public in PAIR
    assert PRIVATE in PAIR
    assert raw_key(PRIVATE) in PAIR
    assert OTHER.public not in PAIR
    assert None not in PAIR


def test_equal_pairs_are_one_in_a_set_and_found_by_public_key() -> None:
    assert len({PAIR, KeyPair(private=PRIVATE), OTHER}) == 2
    assert {PAIR: 1}[PAIR.public] == 1  # type: ignore[index]


def test_a_pair_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(PAIR)) == PAIR


def test_a_pair_does_not_change() -> None:
    with pytest.raises(AttributeError):
        PAIR.public = OTHER.public  # type: ignore[misc]


def test_repr_shows_the_public_key_alone() -> None:
    assert PAIR.public.decode() in repr(PAIR).replace("\\\\", "\\")
    assert PRIVATE.decode() not in repr(PAIR)
    assert PRIVATE.decode() not in str(PAIR)


# ---------------------------------------------------------------------------------- certificates


def test_a_saved_certificate_loads_as_the_same_pair(tmp_path: Path) -> None:
    path = tmp_path / "trader.cert"
    assert PAIR.save_certificate(path) is PAIR
    assert KeyPair.load_certificate(path) == KeyPair.load_certificate(str(path)) == PAIR
    assert KeyPair.load_certificate(path.read_bytes()) == PAIR
    assert KeyPair.load_certificate(path.read_text()) == PAIR


def test_a_certificate_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "trader.cert"
    old = os.umask(0)
    try:
        PAIR.save_certificate(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["trader.cert"]


def test_saving_over_a_readable_file_leaves_it_to_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "trader.cert"
    path.write_text("old")
    path.chmod(0o644)
    PAIR.save_certificate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert KeyPair.load_certificate(path) == PAIR


def test_saving_through_a_link_writes_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    PAIR.save_certificate(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert KeyPair.load_certificate(tmp_path / "real") == PAIR


def test_a_folder_that_is_not_there_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "trader.cert"
    with pytest.raises(errors.CertificateFileError, match="absent") as caught:
        PAIR.save_certificate(path)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, FileNotFoundError)


def test_a_folder_in_the_certificates_place_is_refused(tmp_path: Path) -> None:
    for act in (PAIR.save_certificate, KeyPair.load_certificate):
        with pytest.raises(errors.CertificateFileError):
            act(tmp_path)


def test_a_certificate_goes_through_open_files_too() -> None:
    text, binary = io.StringIO(), io.BytesIO()
    assert PAIR.save_certificate(text).save_certificate(binary) is PAIR
    assert text.getvalue().encode() == binary.getvalue()
    binary.seek(0)
    assert KeyPair.load_certificate(binary) == PAIR


def test_a_disk_that_refuses_is_told_of_and_nothing_half_written_stays(tmp_path: Path) -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(errors.CertificateFileError, match="space"),
    ):
        PAIR.save_certificate(full)
    with pytest.raises(errors.CertificateFileError, match="space"):
        PAIR.save_certificate("/dev/full")
    program = (
        "import resource\n"
        "from ledgerx.protocol.crypto import KeyPair\n"
        "hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))\n"
        "try: KeyPair.generate().save_certificate('trader.cert')\n"
        "except OSError as error: print(error)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))\n"
    )
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.stdout == "cannot write certificate trader.cert: File too large\n", result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_certificate_is_text_with_a_block_a_key() -> None:
    file = io.StringIO()
    PAIR.save_certificate(file)
    assert file.getvalue().splitlines() == [
        "-----BEGIN PRIVATE KEY-----",
        PRIVATE.decode(),
        "-----END PRIVATE KEY-----",
        "-----BEGIN PUBLIC KEY-----",
        PAIR.public.decode(),
        "-----END PUBLIC KEY-----",
    ]


def test_a_public_certificate_has_no_private_block() -> None:
    file = io.StringIO()
    KeyPair(PAIR.public).save_certificate(file)
    assert "PRIVATE" not in file.getvalue()
    assert KeyPair.load_certificate(file.getvalue()) == KeyPair(PAIR.public)


def block(name: str, content: str) -> str:
    return f"-----BEGIN {name}-----\n{content}\n-----END {name}-----\n"


def test_a_private_block_alone_is_enough_and_other_lines_are_ignored() -> None:
    text = "made by hand\r\n" + block("PRIVATE KEY", PRIVATE.decode()).replace("\n", "\r\n")
    assert KeyPair.load_certificate(text.encode()) == PAIR


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no PUBLIC KEY and no PRIVATE KEY block"),
        (block("RSA PRIVATE KEY", "x"), "no PUBLIC KEY and no PRIVATE KEY block"),
        (block("PUBLIC KEY", ""), "PUBLIC KEY block is damaged"),
        (block("PUBLIC KEY", "short"), "PUBLIC KEY block is damaged"),
        (block("PRIVATE KEY", "x" * 41), "PRIVATE KEY block is damaged"),
        (f"-----BEGIN PUBLIC KEY-----\n{PAIR.public.decode()}\n", "no -----END PUBLIC KEY----- line"),
        (f"-----BEGIN PRIVATE KEY-----\n{block('PUBLIC KEY', 'x')}", "no -----END PRIVATE KEY----- line"),
        (block("PUBLIC KEY", PAIR.public.decode()) * 2, "two PUBLIC KEY blocks"),
        (
            block("PUBLIC KEY", OTHER.public.decode()) + block("PRIVATE KEY", PRIVATE.decode()),
            "PUBLIC KEY block does not belong",
        ),
    ],
    ids=["empty", "foreign", "no key", "short", "long", "open public", "open private", "twice", "mismatch"],
)
def test_a_damaged_certificate_is_refused_with_the_block_at_fault(text: str, said: str) -> None:
    with pytest.raises(errors.InvalidCertificate, match=said) as caught:
        KeyPair.load_certificate(text.encode())
    assert isinstance(caught.value, ValueError)
    assert PRIVATE.decode() not in str(caught.value)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_certificate_are_refused_as_such(data: bytes) -> None:
    with pytest.raises(errors.InvalidCertificate):
        KeyPair.load_certificate(data)


def test_a_file_too_large_to_be_a_certificate_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"x" * 70_000)
    with pytest.raises(errors.InvalidCertificate, match="65536 bytes"):
        KeyPair.load_certificate(path)


@pytest.mark.parametrize(
    "text", ["", block("PUBLIC KEY", "short"), block("PUBLIC KEY", "x") * 2, "x" * 70_000]
)
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trader.cert"
    path.write_text(text)
    for source in (path, str(path)):
        with pytest.raises(errors.InvalidCertificate, match=rf"^certificate {path}: "):
            KeyPair.load_certificate(source)


def test_a_path_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(errors.CertificateFileError):
        KeyPair.load_certificate("with\0zero")
    with pytest.raises(errors.InvalidCertificate, match="type int"):
        KeyPair.load_certificate(7)  # type: ignore[arg-type]
