"""Opening a data folder again: equality, runs, cut tails, locks, accounts and contracts."""

import os
import shutil

import pytest
from venue_harness import START, Floor, HandClock, detail

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import (
    AccountError,
    DataFolderLocked,
    DataFolderUnusable,
    InvalidContracts,
    InvalidKey,
    JournalCorrupt,
    JournalDiverged,
)
from ledgerx.exchange.accounts import list_accounts
from ledgerx.exchange.folder import DataFolder, VenueNote, accounts_path
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair

Report = api.MessageActionReport


def trade(floor, turns=5):
    for _ in range(turns):
        floor.turn(("alice", floor.order(price=100, size=3)), ("bob", floor.order(price=101, is_ask=True)))
        floor.turn(("bob", floor.order(price=100, size=2, is_ask=True)))


def journal_bytes(folder):
    return (folder / "journal" / f"{1:020d}.journal").read_bytes()


class TestRecovery:
    def test_a_venue_that_was_killed_is_the_same_again(self, tmp_path):
        folder, copy = tmp_path / "D", tmp_path / "copy"
        with Floor(folder, "alice", "bob") as floor:
            trade(floor)
            shutil.copytree(folder, copy)  # as a kill leaves it: locked by nobody
            lines = {name: floor.line(name) for name in floor.cids}
            heads = floor.venue.engine.topic_heads()
        with Floor(copy, clock=floor.clock, run=False) as again:
            assert {name: again.line(name) for name in again.cids} == lines
            assert again.venue.engine.topic_heads() == heads
            assert journal_bytes(copy) == journal_bytes(folder)
            order = floor.order(price=100)
            assert again.venue.engine.run_id == 1
            assert len(again.turn(("alice", order)).cids) == 1  # and it goes on

    def test_a_record_that_executes_otherwise_is_named(self, tmp_path):
        with Floor(tmp_path, "alice") as floor:
            floor.turn(("alice", floor.order()))
        journal = Journal.open(tmp_path / "journal")
        records = list(journal.records())
        journal.close()
        changed = records[-1].outputs[0]
        changed.message = changed.message[:-1] + b"?"
        self.rewrite(tmp_path, records)
        with pytest.raises(JournalDiverged, match="record 4") as caught:
            Venue.open(tmp_path)
        assert caught.value.number == 4
        del records[-1].outputs[-1]
        self.rewrite(tmp_path, records)
        with pytest.raises(JournalDiverged, match="outputs where"):
            Venue.open(tmp_path)
        Venue.open(tmp_path / "another").close()  # nothing is left locked in this process

    def rewrite(self, folder, records):
        shutil.rmtree(folder / "journal")
        journal = Journal.open(folder / "journal")
        for record in records:
            journal.append(record)
        journal.commit()
        journal.close()

    def test_a_corrupt_journal_leaves_the_folder_unlocked(self, tmp_path):
        with Floor(tmp_path, "alice") as floor:
            trade_bytes = journal_bytes(tmp_path)
            floor.turn(("alice", floor.order()))
        path = tmp_path / "journal" / f"{1:020d}.journal"
        good = path.read_bytes()
        path.write_bytes(good[:30] + b"\xff" + good[31:])
        for _ in range(2):
            with pytest.raises(JournalCorrupt):
                Venue.open(tmp_path)
        path.write_bytes(good)
        Venue.open(tmp_path).close()
        assert good.startswith(trade_bytes)


class TestRuns:
    def test_a_restart_is_a_new_run_with_the_cancels_before_its_boundary(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            order = floor.order(size=5)
            floor.turn(("alice", order))
            venue_id = floor.venue.engine.venue_id
        with Floor(tmp_path, clock=floor.clock) as again:
            engine = again.venue.engine
            assert (engine.run_id, engine.venue_id) == (2, venue_id)
            cancel, change = again.line("alice", 4)
            assert (cancel.mid, cancel.status_type, cancel.canceled_size, cancel.run_id) == (
                order.mid,
                Report.STATUS_CANCELED,
                5,
                1,
            )
            assert (change.prev_run_id, change.run_id, change.account_sequence) == (1, 2, 5)
            assert [type(message).__name__ for message in again.line("bob")] == ["MessageRunChange"]
            assert sorted(again.first_turn.cids) == sorted(again.cids.values())

    def test_the_first_run_makes_a_venue_id(self, tmp_path):
        with Floor(tmp_path / "a") as one, Floor(tmp_path / "b", clock=one.clock) as two:
            assert len(one.venue.engine.venue_id) == 32
            assert one.venue.engine.venue_id != two.venue.engine.venue_id

    def test_a_tail_of_which_nothing_was_sent_keeps_the_venue_id(self, tmp_path):
        with Floor(tmp_path, "alice") as floor:
            venue_id = floor.venue.engine.venue_id
            floor.venue.journal.abandon()
        path = tmp_path / "journal" / f"{1:020d}.journal"
        path.write_bytes(path.read_bytes() + b"\x50\0\0\0torn")
        with Floor(tmp_path, clock=floor.clock) as again:
            assert again.venue.engine.venue_id == venue_id
            assert again.venue.journal.recovery.cut_bytes == 8

    def test_a_lost_record_renews_the_venue_id_once_even_with_an_account_added_between(self, tmp_path):
        with Floor(tmp_path, "alice") as floor:
            floor.turn(("alice", floor.order()))
            venue_id = floor.venue.engine.venue_id
            floor.venue.journal.abandon()
        path = tmp_path / "journal" / f"{1:020d}.journal"
        path.write_bytes(path.read_bytes()[:-1])
        clock = floor.clock
        Floor(tmp_path, "bob", clock=clock, run=False).close()
        with Floor(tmp_path, clock=clock) as again:
            renewed = again.venue.engine.venue_id
            assert renewed != venue_id
        with Floor(tmp_path, clock=clock) as again:
            assert again.venue.engine.venue_id == renewed


class TestFolder:
    def test_a_folder_has_one_user_who_is_named(self, tmp_path):
        with Floor(tmp_path / "D"), pytest.raises(DataFolderLocked) as caught:
            Venue.open(tmp_path / "D")
        assert str(tmp_path / "D") in str(caught.value)
        assert str(os.getpid()) in str(caught.value)
        Venue.open(tmp_path / "D").close()

    def test_only_its_owner_can_read_it(self, tmp_path):
        Floor(tmp_path / "D").close()
        assert (tmp_path / "D").stat().st_mode & 0o777 == 0o700
        for name in ("venue.key", "lock", "accounts.sqlite"):
            assert (tmp_path / "D" / name).stat().st_mode & 0o777 == 0o600

    def test_the_key_is_made_once(self, tmp_path):
        with Floor(tmp_path) as floor:
            key = floor.venue.key_pair
        with Floor(tmp_path) as floor:
            assert floor.venue.key_pair == key

    def test_a_disk_that_takes_no_note_is_named(self, tmp_path):
        folder = DataFolder.acquire(tmp_path)
        (tmp_path / "venue.json.new").mkdir()
        with pytest.raises(DataFolderUnusable, match=r"venue\.json\.new cannot be written"):
            folder.write_note(VenueNote("127.0.0.1", 2, 3, None, "key"))
        folder.release()

    def test_a_folder_that_cannot_be_made_is_named(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(DataFolderUnusable, match="file"):
            Venue.open(tmp_path / "file" / "D")


class TestAccounts:
    def test_names_and_keys_belong_to_one_active_account(self, tmp_path):
        with Floor(tmp_path) as floor:
            keys = KeyPair.generate()
            row = floor.venue.add_account("alice", keys.public)
            assert row == (1, 1, "alice", keys.public.decode(), True)
            with pytest.raises(AccountError, match="alice"):
                floor.venue.add_account("alice", KeyPair.generate().public)
            with pytest.raises(AccountError, match="key"):
                floor.venue.add_account("bob", keys.public)
            with pytest.raises(InvalidKey):
                floor.venue.add_account("bob", b"short")
            for name in ("", " x", "a\nb"):
                with pytest.raises(AccountError, match="name"):
                    floor.venue.add_account(name, KeyPair.generate().public)
            with pytest.raises(AccountError, match="nobody"):
                floor.venue.remove_account("nobody")

    def test_a_removed_account_is_canceled_and_its_name_and_key_are_free(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            floor.turn(("alice", floor.order(price=100)))
            floor.venue.remove_account("alice")
            turn = floor.venue.commit()
            assert [row.name for row in turn.removed] == ["alice"]
            assert turn.accounts_changed
            assert floor.line("alice")[-1].status_type == Report.STATUS_CANCELED
            key = turn.removed[0].public_key
            assert floor.venue.engine.account_of_key(key) is None
            assert floor.venue.add_account("alice", key, mpid=77).cid == 3
            floor.venue.commit()
            assert [(row.cid, row.mpid, row.active) for row in floor.venue.accounts()] == [
                (1, 1, False),
                (2, 2, True),
                (3, 77, True),
            ]

    def test_accounts_survive_with_their_sequences(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            floor.turn(("alice", floor.order()))
            rows, head = floor.venue.accounts(), floor.venue.engine.head(1)
        with Floor(tmp_path, run=False) as floor:
            assert (floor.venue.accounts(), floor.venue.engine.head(1)) == (rows, head)

    def test_the_projection_is_kept_equal_and_read_without_the_lock(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            assert list_accounts(accounts_path(tmp_path)) == floor.venue.accounts()
            floor.venue.remove_account("bob")
            floor.venue.commit()
            assert list_accounts(accounts_path(tmp_path)) == floor.venue.accounts()

    @pytest.mark.parametrize("damage", ["missing", "garbage", "stale"])
    def test_a_projection_that_disagrees_is_rebuilt(self, tmp_path, damage):
        path = accounts_path(tmp_path)
        with Floor(tmp_path, "alice") as floor:
            stale = path.read_bytes()
            floor.venue.add_account("bob", KeyPair.generate().public)
            floor.venue.commit()
            rows = floor.venue.accounts()
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(stale if damage == "stale" else b"garbage" * 1000)
        Floor(tmp_path, run=False).close()
        assert list_accounts(path) == rows

    def test_a_projection_that_cannot_be_read_is_an_error(self, tmp_path):
        path = accounts_path(tmp_path)
        assert list_accounts(path) == []
        path.write_bytes(b"garbage" * 1000)
        with pytest.raises(DataFolderUnusable):
            list_accounts(path)
        path.unlink()
        path.mkdir()
        with pytest.raises(DataFolderUnusable):
            Venue.open(tmp_path)


class TestContracts:
    def known(self, floor):
        return {key: contract.detail for key, contract in floor.venue.engine.contracts.items()}

    def test_a_new_venue_has_the_built_in_ones_ahead_of_its_day(self, tmp_path):
        venue = Venue.open(tmp_path, clock=HandClock())
        venue.start_run()
        expiries = [contract.expiry for contract in venue.engine.contracts.values()]
        assert len(expiries) >= 12
        assert all(expiry == 0 or expiry > START for expiry in expiries)
        number = venue.journal.committed
        venue.close()
        venue = Venue.open(tmp_path, clock=HandClock())
        venue.start_run()
        assert venue.journal.committed == number + 1  # the run's start alone
        venue.close()

    def test_accounts_may_come_before_the_contracts(self, tmp_path):
        venue = Venue.open(tmp_path, clock=HandClock())
        venue.add_account("alice", KeyPair.generate().public)
        venue.commit()
        venue.close()
        with Floor(tmp_path, contracts=[detail(3)]) as floor:
            assert list(floor.venue.engine.contracts) == [3]

    def test_new_and_changed_ones_are_taken_over_at_the_next_run(self, tmp_path):
        Floor(tmp_path, contracts=[detail(1), detail(2)]).close()
        with Floor(tmp_path, contracts=[detail(2), detail(3), detail(1, max_size=5)]) as floor:
            assert list(self.known(floor)) == [1, 2, 3]
            assert self.known(floor)[1].max_size == 5
            number = floor.venue.journal.committed
        with Floor(tmp_path, contracts=[detail(2)]) as floor:
            assert list(self.known(floor)) == [1, 2, 3]
            assert floor.venue.journal.committed == number + 1

    def test_a_file_is_read_at_the_start_of_a_run(self, tmp_path):
        path = tmp_path / "contracts.toml"
        venue = Venue.open(tmp_path / "D", contracts=path)
        with pytest.raises(InvalidContracts):
            venue.start_run()
        assert venue.journal.last_number == 0
        venue.close()
