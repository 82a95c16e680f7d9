"""Normal syncs of two and three devices: every change on one device reaches all others, row for row, and no device is
asked for a full sync that a reference server would not ask for."""

import copy
import time
import unicodedata

from devices import (HTTP, ClientTest, Proxy, Required, SyncError, assert_same, contents, main, round_of, sql,
                     sync_pb2)

INT64_MIN, INT64_MAX = -2**63, 2**63 - 1


class NormalSync(ClientTest):
    def test_a_new_account_and_a_new_device_have_nothing_to_sync(self):
        device = self.account.device()
        self.assertEqual(device.required(), Required.NO_CHANGES)
        self.assertEqual(device.required(), Required.NO_CHANGES)
        self.assertEqual(device.col.sync_status(device.auth).required, sync_pb2.SyncStatusResponse.NO_CHANGES)
        device.add_note("first")
        self.assertIn(device.required(), (Required.FULL_SYNC, Required.FULL_UPLOAD))

    def test_the_first_device_uploads_and_an_empty_second_may_only_download(self):
        one = self.account.device()
        one.add_notes(1000)
        self.assertEqual(one.required(), Required.FULL_UPLOAD)
        one.upload()
        self.assertEqual(one.required(), Required.NO_CHANGES)
        two = self.account.device()
        two.col.set_config("touched", 1)
        self.assertEqual(two.required(), Required.FULL_DOWNLOAD)
        two.download()
        self.assertEqual(two.required(), Required.NO_CHANGES)
        assert_same(one, two)
        self.assertEqual(two.count("notes"), 1000)

    def test_edits_of_different_notes_reach_all_devices(self):
        one, two = self.pair()
        one.edit("note <b>0</b> &amp; \u00e9", Back="from one")
        two.edit("note <b>1</b> &amp; \u00e9", Back="from two")
        one.add_note("a new one", tags=["x"])
        two.add_note("another new one", "A deck::of two")
        round_of(one, two)
        self.assertEqual(one.note("note <b>1</b> &amp; \u00e9")["Back"], "from two")

    def test_of_two_edits_of_one_note_the_later_one_wins(self):
        one, two = self.pair()
        front = "note <b>0</b> &amp; \u00e9"
        one.edit(front, Back="earlier")
        one.col.db.execute("update notes set mod = mod - 100 where usn = -1")
        two.edit(front, Back="later")
        round_of(one, two)
        self.assertEqual(one.note(front)["Back"], "later")
        one.edit(front, Back="later again")
        two.edit(front, Back="earlier again")
        two.col.db.execute("update notes set mod = mod - 100 where usn = -1")
        round_of(one, two)
        self.assertEqual(two.note(front)["Back"], "later again")

    def test_decks_notetypes_and_deck_options_are_synced(self):
        one, two = self.pair()
        notetype = copy.deepcopy(one.col.models.by_name("Basic"))
        notetype.update(id=0, name="Vocab \u00fc", css=".card { color: red }")
        one.col.models.add_dict(notetype)
        one.add_note("of the new notetype", "Lang::ES", "Vocab \u00fc")
        options = one.col.decks.add_config("Hard")
        options["new"]["delays"] = [1.5, 10, 60]
        options["rev"]["maxIvl"] = 77
        options["lapse"]["mult"] = 0.25
        one.col.decks.update_config(options)
        deck = one.col.decks.by_name("Lang::ES")
        one.col.decks.set_config_id_for_deck_dict(deck, options["id"])
        deck = one.col.decks.by_name("Lang::ES")
        deck.update(desc="<b>what</b> it is", newLimit=7, desiredRetention=92)
        one.col.decks.save(deck)
        two.deck("Lang::FR")
        round_of(one, two)
        self.assertEqual(two.col.decks.config_dict_for_deck_id(deck["id"])["rev"]["maxIvl"], 77)
        # And back, with changes.
        vocab = two.col.models.by_name("Vocab \u00fc")
        vocab["tmpls"][0]["qfmt"] += "<hr>"
        vocab["name"] = "Vocabulary"
        two.col.models.update_dict(vocab)
        two.col.decks.rename(two.col.decks.by_name("Lang::ES"), "Language::Spanish")
        options = two.col.decks.get_config(options["id"])
        options["name"] = "Harder"
        two.col.decks.update_config(options)
        round_of(two, one)
        self.assertEqual(one.col.models.by_name("Vocabulary")["tmpls"][0]["qfmt"][-4:], "<hr>")

    def test_an_added_field_or_a_removed_notetype_asks_for_a_full_sync(self):
        one, two = self.pair()
        one.col.models.remove(one.col.models.by_name("Cloze")["id"])
        self.assertEqual(one.required(), Required.FULL_SYNC)
        one.upload()
        self.assertEqual(two.required(), Required.FULL_SYNC)
        two.download()
        assert_same(one, two)
        basic = two.col.models.by_name("Basic")
        two.col.models.add_field(basic, two.col.models.new_field("Extra"))
        two.col.models.update_dict(basic)
        self.assertEqual(two.required(), Required.FULL_SYNC)
        two.upload()
        one.download()
        assert_same(one, two)

    def test_tags_keep_their_first_spelling(self):
        one, two = self.pair()
        one.add_note("a", tags=["Verb", "Verb::Irregular", "\u00c4pfel"])
        round_of(one, two)
        two.add_note("b", tags=["verb::irregular", "VERB::regular::ar", "\u00e4pfel", "new"])
        one.add_note("c", tags=["New", "other::Child"])
        one.sync()
        two.sync()
        one.sync()
        # If both devices created a tag, each keeps its own spelling: no side may change an existing tag.
        assert_same(one, two, but=("tags",))
        folded = [tag.lower() for tag in contents(one)["tags"]]
        self.assertEqual(len(folded), len(set(folded)))
        self.assertEqual(sorted(folded), sorted(tag.lower() for tag in contents(two)["tags"]))
        self.assertIn("Verb::regular::ar", contents(one)["tags"])

    def test_reviews_are_synced_with_their_cards(self):
        one, two = self.pair(30)
        self.assertEqual(len(one.answer("Default", 5)), 5)
        round_of(one, two)
        two.answer("Default", 5, ease=4)
        time.sleep(0.1)  # the id of a review is its millisecond; equal ids on two devices would be one review
        one.answer("Default", 5, ease=1)
        round_of(one, two)
        self.assertGreaterEqual(one.count("revlog"), 10)

    def test_the_memory_state_of_fsrs_is_synced(self):
        one, two = self.pair(10)
        one.col.set_config("fsrs", True)
        one.answer("Default", 4, ease=4)
        self.assertTrue(one.col.db.scalar("select count() from cards where data like '%\"s\":%'"))
        round_of(one, two)
        two.answer("Default", 4)
        round_of(two, one)
        self.assertIs(one.col.get_config("fsrs"), True)

    def test_filtered_decks_are_synced_with_their_cards(self):
        one, two = self.pair(10)
        deck = one.col.sched.get_or_create_filtered_deck(0)
        deck.name = "Cram"
        deck.config.search_terms[0].search = "deck:Default"
        deck.config.search_terms[0].limit = 5
        del deck.config.search_terms[1:]
        deck_id = one.col.sched.add_or_update_filtered_deck(deck).id
        self.assertEqual(one.count("cards where odid != 0"), 5)
        round_of(one, two)
        two.answer("Cram", 2)
        two.col.sched.empty_filtered_deck(deck_id)
        round_of(two, one)
        one.col.sched.rebuild_filtered_deck(deck_id)
        round_of(one, two)
        one.col.decks.remove([deck_id])
        round_of(one, two)

    def test_suspended_buried_and_flagged_cards_are_synced(self):
        one, two = self.pair(10)
        cards = one.col.find_cards("")
        one.col.sched.suspend_cards(cards[:2])
        one.col.sched.bury_cards(cards[2:4])
        one.col.set_user_flag_for_cards(3, cards[4:6])
        one.col.sched.set_due_date(cards[6:8], "3-9!")
        round_of(one, two)
        two.col.sched.unsuspend_cards(cards[:1])
        two.col.sched.unbury_cards(cards[2:3])
        round_of(two, one)

    def test_deleted_notes_cards_and_decks_are_deleted_everywhere(self):
        one, two = self.pair(10)
        one.add_notes(3, "gone", "Doomed::Child")
        one.add_note("two cards", notetype="Basic (and reversed card)")
        round_of(one, two)
        one.col.remove_notes(one.col.find_notes("note:Basic")[:3])
        two.col.remove_cards_and_orphaned_notes([two.note("two cards").card_ids()[1]])
        two.col.decks.remove([two.deck("Doomed")])
        round_of(one, two)
        self.assertIsNone(one.col.decks.by_name("Doomed::Child"))
        # A deletion wins over an edit on the other device.
        victim = one.col.get_note(one.col.find_notes("note:Basic")[0])
        one.col.remove_notes([victim.id])
        other = two.col.get_note(victim.id)
        other["Back"] = "an edit that comes too late"
        two.col.update_note(other)
        round_of(one, two)
        self.assertEqual(two.count(f"notes where id = {victim.id}"), 0)

    def test_restored_notes_can_be_deleted_again(self):
        one, two = self.pair(3)
        third = self.account.device()
        third.download()
        note = one.add_note("comes back")
        rows = {table: one.col.db.all(f"select * from {table} where {key} = ?", note.id)
                for table, key in (("notes", "id"), ("cards", "nid"))}
        for device in (one, two, third):
            device.sync()
        one.col.remove_notes([note.id])
        for device in (one, two, third):
            device.sync()
        self.assertEqual(third.count("notes"), 3)
        # The same ids again, as after an undo or an import of an old package.
        for table, all_of in rows.items():
            for row in all_of:
                one.col.db.execute(f"insert into {table} values ({','.join('?' * len(row))})", *row)
                one.col.db.execute(f"update {table} set usn = -1 where id = ?", row[0])
        one.col.db.execute("update col set mod = mod + 1")
        one.reopen()
        for device in (one, two, third):
            device.sync()
        assert_same(one, two)
        self.assertEqual(third.count("notes"), 4)
        # A client whose graves have no key (before schema 18) adds a second grave; a newer one ignores its second
        # deletion while it has the first grave, so that one is removed here.
        two.col.db.execute("delete from graves")
        two.reopen()
        two.col.remove_notes([note.id])
        for device in (two, one, third):
            device.sync()
        for device in (one, two, third):
            self.assertEqual(device.count("notes"), 3)
        round_of(one, third)

    def test_config_comes_from_the_newer_side_as_a_whole(self):
        one, two = self.pair(2)
        one.col.set_config("addon", {"deep": [1, {"x": None}], "text": "\u00fc\u0001", "big": 2**53 + 1})
        round_of(one, two)
        self.assertEqual(two.col.get_config("addon")["deep"], [1, {"x": None}])
        one.col.set_config("who", "one")
        time.sleep(0.01)
        two.col.set_config("who", "two")
        two.col.remove_config("addon")
        two.sync()
        one.sync()
        two.sync()
        assert_same(one, two)
        self.assertEqual(one.col.get_config("who"), "two")
        self.assertIsNone(one.col.get_config("addon"))

    def test_decks_with_one_name_on_two_devices_get_two_names(self):
        for first, second in (("Spanish", "Spanish"), ("\u00c4pfel", "\u00e4pfel"), ("Stra\u00dfe", "STRASSE"),
                              ("\u03a3igma", "\u03c2igma")):
            with self.subTest(first=first, second=second):
                one, two = self.pair(1) if not self.account.devices else self.account.devices[:2]
                one.add_note(f"in {first}", first)
                two.add_note(f"also in {second}", second)
                one.sync()
                two.sync()
                one.sync()
                two.sync()
                names = [row[1] for row in contents(one)["decks"]]
                self.assertEqual(len(names), len({unicodedata.normalize("NFC", name.casefold()) for name in names}))
                assert_same(one, two)
                third = self.account.device()
                third.download()
                self.assertEqual(third.problems(), "")
                assert_same(one, third)

    def test_notetypes_with_one_name_on_two_devices_get_two_names(self):
        one, two = self.pair(1)
        for device, name in ((one, "\u00dcbung"), (two, "\u00fcbung")):
            notetype = copy.deepcopy(device.col.models.by_name("Basic"))
            notetype.update(id=0, name=name)
            device.col.models.add_dict(notetype)
            device.add_note(f"of {name}", notetype=name)
        one.sync()
        two.sync()
        one.sync()
        two.sync()
        assert_same(one, two)
        for device in (one, two):
            names = [row[1].casefold() for row in contents(device)["notetypes"]]
            self.assertEqual(len(names), len(set(names)))
        third = self.account.device()
        third.download()
        self.assertEqual(third.problems(), "")

    def test_unknown_keys_and_ids_at_the_limits_survive_another_device(self):
        one, two = self.pair(1)
        unknown = {"x_addon": {"keep": [1, 2.5, None, "\u00fc", {"y": False}]}, "z": INT64_MAX}
        basic = one.col.models.by_name("Basic")
        basic.update(unknown)
        for field, number in zip(basic["flds"], (INT64_MIN, INT64_MAX)):
            field.update(unknown, id=number)
        basic["tmpls"][0].update(unknown, id=INT64_MIN + 1)
        one.col.models.update_dict(basic)
        deck = one.col.decks.get(one.deck("With more"))
        deck.update(unknown)
        one.col.decks.save(deck)
        options = one.col.decks.add_config("With more")
        options.update(unknown)
        for block in ("new", "rev", "lapse"):
            options[block].update(unknown)
        one.col.decks.update_config(options)
        one.col.set_config("unknown", unknown)
        round_of(one, two)
        # To the other device and back.
        basic = two.col.models.by_name("Basic")
        basic["css"] += " "
        two.col.models.update_dict(basic)
        deck = two.col.decks.by_name("With more")
        deck["desc"] = "changed"
        two.col.decks.save(deck)
        options = two.col.decks.get_config(options["id"])
        options["maxTaken"] = 99
        two.col.decks.update_config(options)
        round_of(two, one)
        basic = one.col.models.by_name("Basic")
        self.assertEqual([field["id"] for field in basic["flds"]], [INT64_MIN, INT64_MAX])
        self.assertEqual(basic["tmpls"][0]["id"], INT64_MIN + 1)
        for thing in (basic, basic["flds"][0], basic["tmpls"][0], one.col.decks.by_name("With more"),
                      one.col.decks.get_config(options["id"]), one.col.decks.get_config(options["id"])["new"],
                      one.col.get_config("unknown")):
            for key, value in unknown.items():
                self.assertEqual(thing[key], value)

    def test_any_number_of_changes_is_synced(self):
        one, two = self.pair(1)
        round_of(one, two)
        for count in (0, 125, 250, 251, 500, 2500):  # notes; each has a card
            with self.subTest(count=count):
                one.add_notes(count, f"{count} of")
                one.col.set_config("counter", count)
                one.sync()
                two.sync()
                one.sync()
                assert_same(one, two)
        round_of(two, one)

    def test_a_client_with_a_row_it_never_sent_is_asked_for_a_full_sync(self):
        one, two = self.pair(2)
        one.col.db.execute("insert into decks select id + 1, name || 'x', mtime_secs, 0, common, kind from decks limit 1")
        one.reopen()
        one.add_note("will not arrive")
        with self.assertRaises(SyncError):
            one.sync()
        self.assertEqual(two.required(), Required.NO_CHANGES)
        self.assertEqual(one.required(), Required.FULL_SYNC)
        one.upload()
        self.assertEqual(two.required(), Required.FULL_SYNC)
        two.download()
        assert_same(one, two)

    def test_a_note_without_its_notetype_is_refused_without_side_effects(self):
        one, two = self.pair(2)
        notetype = copy.deepcopy(one.col.models.by_name("Basic"))
        notetype.update(id=0, name="Not sent")
        one.col.models.add_dict(notetype)
        one.col.db.execute("update notetypes set usn = 0")
        one.reopen()
        one.add_note("of it", notetype="Not sent")
        for _ in range(2):
            with self.assertRaises(SyncError) as caught:
                one.sync()
            self.assertNotIn("full", str(caught.exception).lower())
        self.assertEqual(two.required(), Required.NO_CHANGES)

    def test_a_device_that_lost_the_answer_of_finish_syncs_normally(self):
        one, two = self.pair(3)
        one.add_notes(3, "sent twice")
        one.answer("Default", 2)
        one.col.remove_notes(one.col.find_notes("note*")[:1])
        with Proxy(after=lambda method: None if method == "finish" else True) as proxy:
            one.at(proxy.url)
            with self.assertRaises(Exception):
                one.sync()
            self.assertIn("finish", proxy.seen)
        one.at(HTTP + "/")
        # Rows that arrive twice keep their first usn on the server, like upstream; no device misses them for that.
        round_of(one, two, usns=False)

    def test_a_sync_between_the_first_and_the_second_request_of_another_loses_nothing(self):
        one, two = self.pair(3)
        one.add_note("of one")
        two.add_note("of two")
        with Proxy(before=lambda method: two.sync() if method == "start" else None) as proxy:
            one.at(proxy.url)
            one.sync()
        two.sync()
        self.assertEqual(two.count("notes"), 5)
        one.at(HTTP + "/")
        round_of(two, one)

    def test_a_status_poll_does_not_disturb_the_sync_of_another_device(self):
        one, two = self.pair(3)
        one.add_note("of one")
        with Proxy(before=lambda method: two.col.sync_status(two.auth) and two.required() if method == "applyChunk"
                   else None) as proxy:
            one.at(proxy.url).sync()
        two.sync()
        self.assertEqual(two.count("notes"), 4)

    def test_a_start_of_another_device_ends_the_session_and_both_sync_again(self):
        one, two = self.pair(3)
        one.add_note("of one")
        two.add_note("of two")
        with Proxy(before=lambda method: two.sync() if method == "applyChanges" else None) as proxy:
            with self.assertRaises(SyncError):
                one.at(proxy.url).sync()
        one.at(HTTP + "/")
        round_of(one, two)
        self.assertEqual(one.count("notes"), 5)

    def test_buried_cards_are_unburied_on_the_next_day_on_the_server_too(self):
        one, two = self.pair(6)
        cards = one.col.find_cards("")
        one.answer("Default", 2)
        one.col.sched.bury_cards(cards[3:5])
        round_of(one, two)
        self.assertEqual(two.count("cards where queue < -1"), 2)
        self.account.a_day_passes()
        # Only the third device syncs: the server's own rows must be unburied.
        one.col.set_config("touched", 1)
        one.sync()
        self.assertEqual(sql(f"SELECT count(*) FROM anki_cards WHERE user_id = {self.account.id()} AND queue < -1"),
                         [["0"]])
        self.assertEqual(one.count("cards where queue < -1"), 0)
        round_of(one, two)

    def test_a_collection_of_everything_syncs_round_after_round(self):
        one, two = self.pair(50)
        for number in range(4):
            for device, who in ((one, "one"), (two, "two")):
                time.sleep(0.1)
                device.add_notes(5, f"{who} {number}", f"Deck {who}::{number}", [f"Tag::{who}", f"round{number}"])
                device.answer(f"Deck {who}::{number}", 2)
                device.col.set_config(f"{who}{number}", number)
                device.edit(f"note <b>{number * 2 + (who == 'one')}</b> &amp; \u00e9", Back=f"{who} {number}")
                if number:
                    device.col.remove_notes(device.col.find_notes(f'"deck:Deck {who}::{number - 1}"')[:2])
            round_of(one, two)


if __name__ == "__main__":
    main()
