"""Full uploads and downloads of real clients: of a collection that was uploaded as a file, of one that was synced row
by row, and of one that has changed since. They run before and after the import of the uploaded file, and through every
spelling of the server's address."""

import json
import os
import shutil
import sqlite3
import urllib.request

from devices import (HTTP, HTTPS, Account, ClientTest, Collection, Required, StoppedWorkers, SyncError, admin, assert_same,
                     contents, log_in, main, round_of, sql, sync_pb2)

import zstandard


class FullSync(ClientTest):
    def download_and_compare(self, device):
        """Downloads to a third device and asserts that it equals this one."""
        third = self.account.device()
        third.download()
        assert_same(device, third)
        self.assertEqual(third.required(), Required.NO_CHANGES)
        return third

    def test_a_download_equals_the_upload(self):
        one, two = self.pair(20)
        assert_same(one, two)
        self.assertEqual(two.required(), Required.NO_CHANGES)

    def test_a_download_includes_changes_since_the_upload(self):
        one, two = self.pair(20)
        one.add_notes(10, "later", "Later::\u00c4", ["new tag", "Tag::Child"])
        one.answer("Default", 3)
        one.col.remove_notes(one.col.find_notes("note*")[:2])
        one.col.set_config("later", [1, None])
        round_of(one, two)
        self.download_and_compare(one)

    def test_an_account_that_begins_with_a_download_can_be_filled_by_syncs(self):
        one = self.account.device()
        one.col.set_config("touched", 1)
        self.assertEqual(one.required(), Required.FULL_SYNC)  # both sides are empty: the user chooses
        one.download()
        self.assertEqual(one.required(), Required.NO_CHANGES)
        self.assertEqual(one.problems(), "")
        self.assertEqual(len(one.col.models.all_names_and_ids()), 6)
        one.add_notes(30, "row by row", "A::B", ["t"])
        one.add_note("cloze {{c1::x}} {{c2::y}}", notetype="Cloze")
        one.answer("A::B", 4)
        one.sync()
        two = self.account.device()
        two.download()
        assert_same(one, two)
        two.add_notes(3, "of two")
        two.col.models.add_dict({**two.col.models.by_name("Basic"), "id": 0, "name": "Other"})
        round_of(two, one)

    def test_devices_sync_before_the_uploaded_file_is_imported(self):
        with StoppedWorkers():
            one, two = self.pair(300)
            self.assertNotEqual(self.account.value("import_step"), "3")
            for number, (device, other) in enumerate(((one, two), (two, one))):
                device.add_notes(3, f"early {number}")
                device.edit(f"note <b>{number}</b> &amp; \u00e9", Back="edited early")
                device.answer("Default", 2)
                device.col.remove_notes(device.col.find_notes("note*")[100 + number:102 + number])
                device.sync()
                other.sync()
                device.sync()
                assert_same(one, two)
            self.download_and_compare(one)
            self.assertNotEqual(self.account.value("import_step"), "3")
        self.account.wait_for_import()
        # The import neither undid nor overwrote the changes made before it finished.
        one.edit("note <b>5</b> &amp; \u00e9", Back="edited late")
        round_of(one, two)
        counters = sql("SELECT cards, notes, revlog FROM anki_collections WHERE user_id = " + str(self.account.id()))
        counted = sql("SELECT " + ", ".join(f"(SELECT count(*) FROM anki_{table} t JOIN anki_collections c USING (user_id, "
                                            f"generation) WHERE t.user_id = {self.account.id()})"
                                            for table in ("cards", "notes", "revlog")))
        self.assertEqual(counters, counted)

    def test_a_download_right_after_unburying_has_no_buried_cards(self):
        one, two = self.pair(8)
        cards = one.col.find_cards("")
        one.answer("Default", 3)
        one.col.sched.bury_cards(cards[4:7])
        round_of(one, two)
        self.account.a_day_passes()
        two.col.set_config("touched", 1)
        two.sync()
        third = self.account.device()
        third.download()
        self.assertEqual(third.count("cards where queue < -1"), 0)
        assert_same(two, third)
        one.sync()
        assert_same(one, two)

    def test_the_import_does_not_undo_an_earlier_unburying(self):
        with StoppedWorkers():
            one = self.account.device()
            one.add_notes(8)
            one.answer("Default", 1)
            one.col.sched.bury_cards(one.col.find_cards("")[4:7])
            one.upload()
            two = self.account.device()
            two.download()
            self.account.a_day_passes()
            two.col.set_config("touched", 1)
            two.sync()
            self.download_and_compare(two)
        self.account.wait_for_import()
        self.assertEqual(sql(f"SELECT count(*) FROM anki_cards WHERE user_id = {self.account.id()} AND queue < -1"),
                         [["0"]])
        self.download_and_compare(two)

    def test_an_upload_replaces_the_collection_and_the_old_one_can_be_restored(self):
        one, two = self.pair(10)
        one.add_notes(5, "before")
        round_of(one, two)
        before = contents(one)
        two.col.remove_notes(two.col.find_notes(""))
        two.add_notes(2, "after")
        two.col.mod_schema(check=False)
        self.assertEqual(two.required(), Required.FULL_SYNC)
        two.upload()
        self.assertEqual(one.required(), Required.FULL_SYNC)
        one.download()
        assert_same(one, two)
        self.assertEqual(one.count("notes"), 2)
        history = admin("anki", "history", self.account.name)
        generation = sql(f"SELECT max(generation) FROM anki_history WHERE user_id = {self.account.id()}")[0][0]
        self.assertIn(generation, history)
        admin("anki", "restore", self.account.name, "--at", generation)
        for device in (one, two):
            self.assertEqual(device.required(), Required.FULL_SYNC)
            device.download()
        assert_same(one, two)
        after = contents(one)
        for table in ("notes", "cards", "revlog", "decks", "notetypes", "tags"):
            self.assertEqual(before[table], after[table], table)
        one.add_note("goes on")
        round_of(one, two)

    def test_a_file_with_names_that_differ_only_in_case_folding_is_accepted_by_clients(self):
        one, two = self.pair(1)
        for name in ("\u00c4pfel", "\u00e4pfel 2", "Stra\u00dfe::Ende", "STRASSE 2", "\u0130stanbul", "istanbul", "\u03a3", "\u03c2a",
                     "\ufb01sch", "Fisch", "\u1e9e", "\U00010400", "zz", "\u00e9", "e\u0301x"):
            one.add_note(f"in {name}", name, tags=[name.replace(" ", "_")])
        one.sync()
        two.sync()
        one.sync()
        assert_same(one, two)
        self.download_and_compare(one)
        one.upload()
        self.download_and_compare(one)

    def test_every_spelling_of_the_server_address_works(self):
        one, _ = self.pair(2)
        for endpoint in (HTTP, HTTP + "/", HTTP + "/sync/", HTTP + "/anki/", HTTP + "/Sync/", HTTP + "//", HTTP + "/a/b/"):
            with self.subTest(endpoint=endpoint):
                device = self.account.device(endpoint)
                device.download()
                assert_same(one, device)
                device.add_note(f"through {endpoint}")
                device.sync()
                one.sync()
                assert_same(one, device)

    def test_https_works_like_http(self):
        one, _ = self.pair(2)
        try:
            device = self.account.device(HTTPS + "/")
        except Exception as problem:  # the client decides which certificates it trusts
            self.skipTest(f"this client does not trust SSL_CERT_FILE: {problem}")
        device.download()
        device.add_note("encrypted")
        device.sync()
        one.sync()
        assert_same(one, device)

    def test_a_wrong_password_and_a_revoked_key_are_authentication_failures(self):
        device = self.account.device()
        with self.assertRaises(SyncError) as caught:
            log_in(device.col, self.account.name, "wrong")
        self.assertEqual(caught.exception.kind.name, "AUTH")
        with self.assertRaises(SyncError) as caught:
            log_in(device.col, "nobody-" + self.account.name, "wrong")
        self.assertEqual(caught.exception.kind.name, "AUTH")
        sql(f"UPDATE devices SET revoked_at = now() WHERE user_id = {self.account.id()}")
        with self.assertRaises(SyncError) as caught:
            device.sync()
        self.assertEqual(caught.exception.kind.name, "AUTH")

    def test_syncs_do_not_change_the_collection_of_another_account(self):
        one, two = self.pair(3)
        stranger = Account()
        self.addCleanup(stranger.close)
        other = stranger.device()
        other.add_notes(4, "of another account")
        other.upload()
        one.add_note("mine")
        round_of(one, two)
        self.assertEqual(other.required(), Required.NO_CHANGES)
        self.assertEqual(other.count("notes"), 4)

    def test_a_bad_file_is_refused_and_the_collection_is_kept(self):
        one, two = self.pair(4)
        for name, statement in (("trigger", "create trigger t after insert on notes begin delete from cards; end"),
                                ("view", "create view v as select * from notes"),
                                ("version", "update col set ver = 13"),
                                ("no notes", "drop table notes")):
            with self.subTest(name=name):
                bad = self.account.device()
                bad.download()
                bad.col.close()
                with sqlite3.connect(bad.path) as file:
                    file.create_collation("unicase", lambda a, b: (a > b) - (a < b))
                    file.execute(statement)
                file.close()
                shutil.copy(bad.path, str(bad.path) + ".bad")
                answer = upload_bytes(bad, open(str(bad.path) + ".bad", "rb").read())
                self.assertNotEqual(answer, b"OK")
                self.assertGreater(len(answer.split()), 3)
                os.remove(bad.path)
                bad.col = Collection(str(bad.path))
                self.assertEqual(one.required(), Required.NO_CHANGES)
        assert_same(one, two)


def upload_bytes(device, data):
    """Uploads the bytes as a client would and returns the text of the answer."""
    body = zstandard.ZstdCompressor().compress(data)
    header = json.dumps({"v": 11, "k": device.auth.hkey, "c": "test", "s": "up"})
    request = urllib.request.Request(HTTP + "/sync/upload", body, {"anki-sync": header})
    with urllib.request.urlopen(request) as answer:
        return zstandard.ZstdDecompressor().decompressobj().decompress(answer.read())


if __name__ == "__main__":
    if os.environ.get("SYNCLINE_CA"):
        os.environ["SSL_CERT_FILE"] = os.environ["SYNCLINE_CA"]
    main()
