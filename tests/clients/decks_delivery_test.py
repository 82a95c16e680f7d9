"""A shared deck in the collections of its subscribers by normal syncs alone, with real clients on two devices of each.
random_delivery_test.py does random work on one."""

import base64
import os
import re
import time

from devices import PASSWORD, Account, ClientTest, admin, assert_same, main
from decks_collection_test import ODD, PICTURE, import_download, new_deck, note_of

from database import Hold, Session
from decks_wire import Person, card, forget_rates
from delivery_wire import Deliveries

TAG = "syncline::removed"
# Of new_deck.
BOTH_WAYS = {"name": "Both ways", "fields": ["Word", "Meaning"], "css": ".card { color: red; }",
             "templates": [{"name": "There", "qfmt": "{{Word}}", "afmt": "{{Meaning}}"},
                           {"name": "Back", "qfmt": "{{#Meaning}}{{Meaning}}{{/Meaning}}", "afmt": "{{Word}}"}]}


class Subscriber:
    """An account with two devices that have the same collection, and its login at the decks service. Tests share them, because
    most of the time of a test would go into accounts and logins; each begins with a new collection."""

    def __init__(self, ask):
        self.ask = ask
        self.account = Account()
        self.one, self.two = self.account.device(), self.account.device()
        self.person = Person.of(self.account.name, PASSWORD)
        self.decks = set()

    def begin(self, notes=2):
        self.one.begin_again()
        self.one.add_notes(notes, prefix=f"own of {self.account.name}")
        self.one.upload()
        self.two.download()
        self.account.wait_for_import()
        for device in (self.one, self.two):
            for name in device.sync_media().media():
                device.remove_media(name)
            device.sync_media()
        return self

    def leave(self):
        """No delivery goes on in the next test."""
        for deck in self.decks:
            self.person.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe"})
            Deliveries(self.ask, deck).wait()
        self.decks.clear()

    def manage(self, deck, action, **more):
        self.decks.add(deck)
        return self.person.call("manage-delivery", {"deck_id": deck, "action": action, **more})

    def start(self, deck, **more):
        self.manage(deck, "start", **more)
        Deliveries(self.ask, deck).wait()
        return self

    def sync(self):
        self.one.sync()
        self.two.sync()
        self.one.sync()
        return self

    def notes(self):
        """{guid: note} of the second device."""
        return {guid: self.two.col.get_note(number) for number, guid in self.two.col.db.all("SELECT id, guid FROM notes")}

    def usn(self):
        return self.account.value("usn")


def edit(device, guid, **fields):
    note = note_of(device.col, guid)
    for name, value in fields.items():
        note[name] = value
    device.col.update_note(note)


def tag(device, guid, *tags):
    note = note_of(device.col, guid)
    note.tags = [*note.tags, *tags]
    device.col.update_note(note)


def type_of(device, guid):
    """As it is after a sync, which the package does not tell its cache."""
    device.reopen()
    return note_of(device.col, guid).note_type()


def queues(device, guid):
    return [one.queue for one in note_of(device.col, guid).cards()]


class DeliveryTest(ClientTest):
    """An owner, and subscribers that tests share."""

    @classmethod
    def setUpClass(cls):
        cls.ask = cls.enterClassContext(Session(os.environ["DATABASE_URL"])).ask
        cls.owner = Person(plan="premium")
        cls.pool = []

    @classmethod
    def tearDownClass(cls):
        for subscriber in cls.pool:
            subscriber.account.close()

    def setUp(self):
        forget_rates()
        self.taken = 0

    def deck(self, count=6):
        owner, deck = new_deck(count, owner=self.owner)
        # A plan allows only some decks.
        self.addCleanup(lambda: owner.call("delete-user-deck", {"deck_id": deck, "confirm": True}))
        return owner, deck

    def subscriber(self):
        """Another one than before in this test."""
        if self.taken == len(self.pool):
            self.pool.append(Subscriber(self.ask))
        self.taken += 1
        subscriber = self.pool[self.taken - 1]
        self.addCleanup(subscriber.leave)
        return subscriber.begin()

    def deliveries(self, deck):
        return Deliveries(self.ask, deck)

    def delivered(self, count=6, **more):
        """A deck, its owner, and a subscriber who has it on both devices."""
        owner, deck = self.deck(count)
        subscriber = self.subscriber().start(deck, **more)
        subscriber.sync()
        return owner, deck, subscriber

    def push(self, owner, deck, pushed, **more):
        owner.push(deck, pushed, **more)
        self.deliveries(deck).wait()


class Delivery(DeliveryTest):
    def test_a_deck_is_on_every_device_by_a_normal_sync(self):
        _, deck, s = self.delivered(6)
        for device in (s.one, s.two):
            device.sync_media()
            note = note_of(device.col, ODD)
            assert note.items() == [("Word", "<img src='x.png'>"), ("Meaning", "odd \U0001f600")] and note.tags == ["a", "b::c"]
            assert device.col.decks.name(note.cards()[0].did) == "Torts and other wrongs::Part 1::Sub"
            assert device.media()["x.png"] == PICTURE
            assert device.col.note_count() == 8, device.col.note_count()
        assert_same(s.one, s.two)
        usn = s.usn()
        for _ in range(2):
            s.start(deck)
        assert s.usn() == usn, "what is delivered again changes nothing"
        state = s.manage(deck, "get")["delivery"]
        assert state["is_complete"] and state["notes"] == 6 and not state["problem"], state

    def test_updates_follow_and_what_is_the_subscribers_stays(self):
        owner, deck, s = self.delivered(6)
        s.person.call("protected-fields", {"deck_id": deck, "fields": ["Back"]})
        edit(s.one, "g00001", Front="mine")
        tag(s.one, "g00001", "leech", "mine::todo")
        studied = note_of(s.one.col, "g00002").cards()[0]
        s.one.col.sched.set_due_date([studied.id], "5")
        s.one.col.set_deck([studied.id], s.one.deck("Hard"))
        s.sync()
        before = s.one.col.db.all("SELECT * FROM cards ORDER BY id")
        self.push(owner, deck, [card(f"g{n:05}", {"Front": f"new {n}", "Back": f"new back {n}"}, tags=["ch1"]) for n in range(4)])
        s.sync()
        notes = s.notes()
        assert notes["g00000"]["Front"] == "new 0" and notes["g00000"]["Back"] == "back of g00000", "a protected field stays"
        assert notes["g00001"]["Front"] == "mine" and sorted(notes["g00001"].tags) == ["ch1", "leech", "mine::todo"]
        assert notes["g00002"]["Front"] == "new 2"
        assert s.one.col.db.all("SELECT * FROM cards ORDER BY id") == before, "no card row changes, not even its usn"
        assert_same(s.one, s.two)
        self.push(owner, deck, [card(f"g{n:05}", {"Front": f"newer {n}", "Back": f"new back {n}"}, tags=[]) for n in range(4)])
        s.sync()
        notes = s.notes()
        assert notes["g00000"]["Front"] == "newer 0" and notes["g00000"].tags == []
        assert notes["g00001"]["Front"] == "mine" and sorted(notes["g00001"].tags) == ["leech", "mine::todo"]

    def test_notes_of_removed_cards_are_suspended_and_come_back(self):
        owner, deck, s = self.delivered(6)
        asleep = note_of(s.one.col, "g00002").cards()[0]
        s.one.col.sched.suspend_cards([asleep.id])
        s.sync()
        self.push(owner, deck, [card("new")], deleted_guids=["g00001", "g00002"])
        s.sync()
        assert s.two.col.note_count() == 9 and "new" in s.notes()
        for guid in ("g00001", "g00002"):
            assert TAG in s.notes()[guid].tags and queues(s.two, guid) == [-1], guid
        assert queues(s.two, "g00003") == [0] and TAG in s.two.col.tags.all()
        assert_same(s.one, s.two)
        self.push(owner, deck, [card("g00001", {"Front": "again", "Back": "b"}), card("g00002")])
        s.sync()
        note = s.notes()["g00001"]
        assert note["Front"] == "again" and TAG not in note.tags and queues(s.two, "g00001") == [0]
        assert TAG not in s.notes()["g00002"].tags and queues(s.two, "g00002") == [-1], "it was the subscriber who suspended it"
        assert_same(s.one, s.two)

    def test_whoever_asks_for_it_has_them_deleted_and_studied_cards_with_them(self):
        owner, deck, s = self.delivered(6, delete_removed=True)
        owner.push(deck, [card("g00003")], deleted_guids=["g00001"])
        self.deliveries(deck).wait()
        s.sync()
        assert "g00001" not in s.notes() and s.two.col.note_count() == 7
        assert_same(s.one, s.two)

    def test_what_the_subscriber_deletes_stays_deleted_until_they_ask(self):
        owner, deck, s = self.delivered(6)
        s.one.col.remove_notes([note_of(s.one.col, "g00001").id, note_of(s.one.col, "g00002").id])
        s.sync()
        self.push(owner, deck, [card("g00001", {"Front": "x", "Back": "y"})])
        s.start(deck).sync()
        assert not {"g00001", "g00002"} & set(s.notes())
        s.start(deck, restore_deleted=True).sync()
        assert s.notes()["g00001"]["Front"] == "x" and "g00002" in s.notes()
        assert_same(s.one, s.two)
        # A client does not send a second deletion of an id.
        s.one.col.remove_notes([note_of(s.one.col, "g00001").id])
        s.sync()
        assert "g00001" not in s.notes()

    def test_what_the_add_on_has_installed_is_not_there_twice(self):
        owner, deck = self.deck()
        s = self.subscriber()
        import_download(s.one.col, s.person.download(deck))
        s.sync()
        edit(s.one, "g00001", Front="mine")
        s.sync()
        types = len(s.one.col.models.all())
        self.push(owner, deck, [card(f"g{n:05}", {"Front": f"new {n}", "Back": f"back of g{n:05}"}) for n in range(3)])
        s.start(deck).sync()
        assert s.two.col.note_count() == 8 and len(s.two.col.models.all()) == types
        assert s.notes()["g00000"]["Front"] == "new 0" and s.notes()["g00001"]["Front"] == "mine"
        s.manage(deck, "stop", keep_notes=False)
        self.deliveries(deck).wait()
        s.sync()
        assert s.two.col.note_count() == 8, "they were there before"

    def test_when_it_ends_its_notes_stay_or_go(self):
        owner, deck, s = self.delivered(6)
        s.manage(deck, "stop", keep_notes=True)
        self.push(owner, deck, [card("g00001", {"Front": "new", "Back": "b"})])
        s.sync()
        assert s.two.col.note_count() == 8 and s.notes()["g00001"]["Front"] == "front of g00001"
        assert s.manage(deck, "get")["delivery"] is None
        s.start(deck).sync()
        assert s.two.col.note_count() == 8 and s.notes()["g00001"]["Front"] == "new", "known again by their guids"
        other = self.subscriber().start(deck).sync()
        other.person.call("manage-subscription", {"deck_id": deck, "action": "unsubscribe", "keep_notes": False})
        self.deliveries(deck).wait()
        other.sync()
        assert other.two.col.note_count() == 2 and other.two.col.card_count() == 2
        assert_same(other.one, other.two)

    def test_a_subscribers_own_types_and_deck_names_stay(self):
        owner, deck, s = self.delivered(6)
        basic = note_of(s.one.col, "g00001").note_type()
        assert basic["name"] == "Basic+", "an own type with the name is another one"
        basic["css"] = ".card { color: blue; }"
        basic["name"] = "Mine"
        s.one.col.models.add_field(basic, s.one.col.models.new_field("Notes"))
        s.one.col.models.reposition_field(basic, basic["flds"][2], 0)
        s.one.col.models.update_dict(basic)
        edit(s.one, "g00001", Notes="mine")
        s.one.col.decks.rename(s.one.col.decks.id("Torts and other wrongs"), "Study::Torts")
        s.one.upload()
        s.two.download()
        s.account.wait_for_import()
        # The owner has given the type a field more.
        self.push(owner, deck, [card("g00001", {"Front": "new", "Back": "b", "More": "m"}), card("late", {"Front": "f", "Back": "b", "More": "m"}),
                                card("later", subdeck_path="Part 1::Sub")])
        types = len(s.one.col.models.all())
        s.sync()
        notes = s.notes()
        assert notes["g00001"].items() == [("Notes", "mine"), ("Front", "new"), ("Back", "b")], notes["g00001"].items()
        assert notes["late"].items() == [("Notes", ""), ("Front", "f"), ("Back", "b")] and len(s.two.col.models.all()) == types
        assert notes["late"].note_type()["css"] == ".card { color: blue; }"
        assert s.two.col.decks.name(notes["late"].cards()[0].did) == "Study::Torts"
        assert s.two.col.decks.name(notes["later"].cards()[0].did) == "Study::Torts::Part 1::Sub"
        assert s.two.col.decks.id_for_name("Torts and other wrongs") is None
        assert_same(s.one, s.two)

    def test_an_edit_goes_back_as_a_suggestion(self):
        owner, deck, s = self.delivered(6)
        edit(s.one, "g00001", Front="better")
        edit(s.one, "g00002", Back="also better")
        s.sync()
        sent = s.manage(deck, "send_edits", guids=["g00001"], reason="a typo")
        assert sent["suggestions"] == 1 and not sent["has_more"], sent
        again = s.manage(deck, "send_edits")
        assert again["suggestions"] == 2 and set(sent["suggestion_ids"]) < set(again["suggestion_ids"]), again
        waiting = owner.call("list-suggestions", {"deck_id": deck})["suggestions"]
        assert sorted((one["field_name"], one["suggested_value"]) for one in waiting) == [("Back", "also better"), ("Front", "better")], waiting
        other = self.subscriber().start(deck)
        owner.call("review-suggestion", {"action": "accept", "suggestion_ids": again["suggestion_ids"]})
        self.deliveries(deck).wait()
        other.sync()
        assert other.notes()["g00001"]["Front"] == "better" and other.notes()["g00002"]["Back"] == "also better"
        s.sync()
        assert s.manage(deck, "send_edits")["suggestions"] == 0

    def test_what_a_device_undoes_unknowingly_comes_again(self):
        owner, deck, s = self.delivered(6)
        edit(s.two, "g00001", Front="mine")  # and not synced
        self.push(owner, deck, [card("g00001", {"Front": "theirs", "Back": "new back"}, tags=["ch1"])])
        s.one.sync()
        s.two.sync()
        assert s.notes()["g00001"]["Front"] == "mine" and s.notes()["g00001"]["Back"] == "back of g00001", "a whole note travels"
        self.deliveries(deck).resume()
        s.sync()
        note = s.notes()["g00001"]
        assert note["Front"] == "mine" and note["Back"] == "new back" and note.tags == ["ch1"], (note.items(), note.tags)
        note.tags = []
        s.two.col.update_note(note)
        s.sync()
        s.start(deck).sync()
        assert s.notes()["g00001"].tags == [], "a tag that the subscriber has removed stays away"

    def test_files_that_come_after_their_cards_arrive(self):
        owner, deck, s = self.delivered(6)
        self.push(owner, deck, [card("g00001", {"Front": "<img src=late.png>", "Back": "b"})])
        s.sync()
        owner.call("sync-media", {"deck_id": deck, "action": "upload", "file_name": "late.png", "content_base64": "bGF0ZQ=="})
        self.deliveries(deck).wait()
        s.sync()
        s.two.sync_media()
        assert s.two.media()["late.png"] == b"late"
        usn = s.usn()
        s.start(deck)
        assert s.usn() == usn

    def test_what_a_full_upload_does_not_have_comes_again(self):
        owner, deck, s = self.delivered(6)
        s.one.col.remove_notes([note_of(s.one.col, "g00002").id])
        s.one.sync()
        self.deliveries(deck).resume()
        assert s.manage(deck, "get")["delivery"]["notes"] == 5, "a deleted note is known as such"
        self.push(owner, deck, [card("new")])
        # This device has not seen the new note, and its schema has changed.
        basic = note_of(s.one.col, "g00001").note_type()
        s.one.col.models.add_field(basic, s.one.col.models.new_field("Notes"))
        s.one.col.models.update_dict(basic)
        s.one.upload()
        s.account.wait_for_import()
        self.deliveries(deck).resume()
        s.two.download()
        s.sync()
        notes = s.notes()
        assert "new" in notes and "g00002" not in notes and len(notes) == 8, sorted(notes)
        assert_same(s.one, s.two)
        usn = s.usn()
        self.deliveries(deck).resume()
        assert s.usn() == usn, "once"

    def test_a_file_that_is_replaced_twice_arrives_twice(self):
        owner, deck, s = self.delivered(2)
        for content in (b"second", b"third"):
            owner.call("sync-media", {"deck_id": deck, "action": "upload", "file_name": "x.png",
                                      "content_base64": base64.b64encode(content).decode()})
            self.deliveries(deck).wait()
            s.sync()
            s.two.sync_media()
            shown = re.search("src='([^']+)'", s.notes()[ODD]["Word"]).group(1)
            assert s.two.media()[shown] == content, (content, shown)
        usn = s.usn()
        s.start(deck)
        assert s.usn() == usn

    def test_an_ended_delivery_changes_nothing_more(self):
        owner, deck, s = self.delivered(6)
        with Hold(os.environ["DATABASE_URL"], f"SELECT FROM anki_collections WHERE user_id = {s.account.id()} FOR UPDATE") as hold:
            owner.push(deck, [card("g00003")], deleted_guids=["g00001"])
            self.deliveries(deck).hurry()
            hold.wait(name="syncline-worker")
            s.manage(deck, "stop", keep_notes=True)
        self.deliveries(deck).wait()
        s.sync()
        assert TAG not in s.notes()["g00001"].tags and queues(s.two, "g00001") == [0]
        assert s.manage(deck, "get")["delivery"] is None

    def test_edits_of_many_notes_go_in_several_calls(self):
        owner, deck = self.deck(2)
        for first in range(0, 520, 260):
            owner.push(deck, [card(f"m{n:05}") for n in range(first, first + 260)])
        s = self.subscriber().start(deck)
        s.one.sync()
        found = [s.one.col.get_note(number) for number in s.one.col.find_notes("Front:front*m0*")]
        for note in found:
            note["Front"] = "mine"
        s.one.col.update_notes(found)
        s.one.sync()
        first = s.manage(deck, "send_edits")
        assert first["suggestions"] == 500 and first["has_more"], first
        rest = s.manage(deck, "send_edits", after=first["next"])
        assert rest["suggestions"] == 20 and not rest["has_more"] and not set(rest["suggestion_ids"]) & set(first["suggestion_ids"]), rest

    def push_types(self, owner, deck, *types):
        owner.call("sync-note-types", {"deck_id": deck, "action": "push", "note_types": list(types)})
        self.deliveries(deck).wait()

    def test_designs_follow_without_a_card(self):
        owner, deck, s = self.delivered(6)
        kept = type_of(s.one, ODD)["id"]
        self.push_types(owner, deck, BOTH_WAYS | {"css": ".card { color: blue; }"})
        s.sync()
        assert type_of(s.two, ODD)["css"] == ".card { color: blue; }"
        mine = type_of(s.one, ODD)
        mine["css"] = ".card { color: mine; }"
        s.one.col.models.update_dict(mine)
        s.sync()
        templates = [{"name": "There", "qfmt": "{{Word}}!", "afmt": "new {{Meaning}}"}, BOTH_WAYS["templates"][1]]
        self.push_types(owner, deck, BOTH_WAYS | {"css": ".card { color: green; }", "templates": templates})
        s.sync()
        seen = type_of(s.two, ODD)
        assert (seen["css"], seen["tmpls"][0]["qfmt"], seen["id"]) == (".card { color: mine; }", "{{Word}}!", kept), seen
        assert seen["mod"] <= time.time(), "never ahead of the clock"
        assert_same(s.one, s.two)
        usn = s.usn()
        self.deliveries(deck).resume()
        assert s.usn() == usn, "once"

    def test_many_designs_in_one_second_do_not_run_ahead_of_the_clock(self):
        owner, deck, s = self.delivered(2)
        for number in range(4):
            self.push_types(owner, deck, BOTH_WAYS | {"css": f".card {{ top: {number}; }}"})
            s.sync()
            seen = type_of(s.two, ODD)
            assert seen["css"] == f".card {{ top: {number}; }}" and seen["mod"] <= time.time(), seen
        mine = type_of(s.one, ODD)
        mine["css"] = "mine"
        s.one.col.models.update_dict(mine)
        s.sync()
        assert type_of(s.two, ODD)["css"] == "mine"

    def test_a_new_template_makes_cards_and_no_full_sync(self):
        owner, deck, s = self.delivered(6)
        s.one.col.sched.set_due_date([one.id for one in note_of(s.one.col, ODD).cards()], "5")
        s.sync()
        more = BOTH_WAYS | {"templates": [*BOTH_WAYS["templates"], {"name": "Third", "qfmt": "{{Meaning}}?", "afmt": "{{Word}}"}]}
        self.push_types(owner, deck, more)
        s.sync()
        note = note_of(s.two.col, ODD)
        assert [(one.ord, one.ivl) for one in note.cards()] == [(0, 5), (1, 5), (2, 0)], [(one.ord, one.ivl) for one in note.cards()]
        assert s.two.col.decks.name(note.cards()[2].did) == "Torts and other wrongs::Part 1::Sub"
        assert [one["name"] for one in type_of(s.two, ODD)["tmpls"]] == ["There", "Back", "Third"]
        assert_same(s.one, s.two)
        types = len(s.two.col.models.all())
        self.push_types(owner, deck, more | {"css": "later"})
        s.sync()
        assert type_of(s.two, ODD)["css"] == "later" and len(s.two.col.models.all()) == types
        usn = s.usn()
        s.start(deck)
        self.deliveries(deck).resume()
        assert s.usn() == usn, "once"

    def test_new_and_renamed_fields_arrive_without_a_full_sync(self):
        owner, deck, s = self.delivered(6)
        edit(s.one, ODD, Meaning="mine")
        s.sync()
        self.push_types(owner, deck, BOTH_WAYS | {"fields": ["Extra", "Word", "Meaning"]})
        self.push(owner, deck, [card(ODD, {"Word": "w", "Meaning": "m", "Extra": "e"}, note_type="Both ways"),
                                card("late", {"Word": "w2", "Meaning": "m2", "Extra": "e2"}, note_type="Both ways")])
        s.sync()
        assert s.notes()[ODD].items() == [("Word", "w"), ("Meaning", "mine"), ("Extra", "e")], s.notes()[ODD].items()
        assert s.notes()["late"]["Extra"] == "e2" and s.notes()["late"].mid == s.notes()[ODD].mid
        assert_same(s.one, s.two)
        # "Extra" becomes "Hint".
        self.push(owner, deck, [card(guid, {"Word": "w", "Meaning": "m", "Hint": "h"}, note_type="Both ways") for guid in (ODD, "late")])
        self.push_types(owner, deck, BOTH_WAYS | {"fields": ["Word", "Meaning", "Hint"]})
        s.sync()
        assert s.notes()[ODD].items() == [("Word", "w"), ("Meaning", "mine"), ("Extra", ""), ("Hint", "h")], s.notes()[ODD].items()
        assert_same(s.one, s.two)

    def test_a_device_that_was_away_when_the_type_changed_brings_its_edit(self):
        owner, deck, s = self.delivered(6)
        edit(s.two, ODD, Word="mine")
        design = type_of(s.two, ODD)
        design["css"] = "mine"
        s.two.col.models.update_dict(design)
        self.push_types(owner, deck, BOTH_WAYS | {"templates": [{"name": "There", "qfmt": "{{Word}}?", "afmt": ""}, BOTH_WAYS["templates"][1]]})
        s.one.sync()
        self.push_types(owner, deck, BOTH_WAYS | {"fields": ["Word", "Meaning", "More"]})
        self.push(owner, deck, [card(ODD, {"Word": "w", "Meaning": "m", "More": "more"}, note_type="Both ways")])
        s.sync()
        self.deliveries(deck).resume()
        s.sync()
        note = s.notes()[ODD]
        assert note.items() == [("Word", "mine"), ("Meaning", "m"), ("More", "more")], note.items()
        assert_same(s.one, s.two)

    def test_cards_follow_their_subdeck_unless_the_subscriber_has_moved_them(self):
        owner, deck, s = self.delivered(6)
        self.push(owner, deck, [card(f"g{n:05}", subdeck_path="Two") for n in range(3)])
        s.sync()
        own = note_of(s.one.col, "g00001").cards()[0]
        s.one.col.set_deck([own.id], s.one.deck("Own"))
        s.sync()
        away = note_of(s.two.col, "g00002").cards()[0]
        s.two.col.sched.set_due_date([away.id], "5")  # and not synced
        self.push(owner, deck, [card(f"g{n:05}", subdeck_path="Three::Deep") for n in range(3)])
        s.sync()
        self.deliveries(deck).resume()
        s.sync()
        homes = [s.two.col.decks.name(s.notes()[f"g{n:05}"].cards()[0].did) for n in range(3)]
        assert homes == ["Torts and other wrongs::Three::Deep", "Own", "Torts and other wrongs::Three::Deep"], homes
        assert s.notes()["g00002"].cards()[0].ivl == 5
        assert_same(s.one, s.two)

    def test_a_note_of_two_decks_belongs_to_the_first(self):
        other = self.owner.deck("Another deck")
        self.addCleanup(lambda: self.owner.call("delete-user-deck", {"deck_id": other, "confirm": True}))
        owner, deck, s = self.delivered(3)
        owner.push(other, [card("g00001", {"Front": "theirs", "Back": "theirs"}), card("theirs")])
        s.start(other).sync()
        assert s.two.col.note_count() == 2 + 3 + 1 and s.notes()["g00001"]["Front"] == "front of g00001"
        edit(s.one, "g00001", Front="mine")
        s.sync()
        assert s.manage(other, "send_edits")["suggestions"] == 0, "one deck's text is not for the other"
        owner.push(other, [card("g00001", {"Front": "newer", "Back": "newer"})], deleted_guids=["theirs"])
        owner.push(other, [], deleted_guids=["g00001"])
        self.deliveries(other).wait()
        s.sync()
        assert TAG not in s.notes()["g00001"].tags and s.notes()["g00001"]["Back"] == "back of g00001"
        s.manage(other, "stop", keep_notes=False)
        self.deliveries(other).wait()
        s.sync()
        assert s.notes()["g00001"]["Front"] == "mine" and "theirs" not in s.notes()
        owner.push(other, [card("g00001", {"Front": "theirs", "Back": "theirs"})])
        s.start(other).sync()
        s.manage(deck, "stop", keep_notes=False)
        self.deliveries(deck).wait()
        self.deliveries(other).wait()
        s.sync()
        assert s.notes()["g00001"]["Front"] == "theirs", "the first deck has left it to the other"

    def test_whoever_has_no_collection_waits_for_one(self):
        owner, deck = self.deck()
        account = self.account = Account()
        self.addCleanup(account.close)
        person = Person.of(account.name, PASSWORD)
        person.call("manage-delivery", {"deck_id": deck, "action": "start"})
        self.deliveries(deck).wait()
        state = person.call("manage-delivery", {"deck_id": deck})
        assert state["delivery"]["problem"] == "no_collection" and not state["delivery"]["is_complete"], state
        phone = account.device()
        phone.upload()
        account.wait_for_import()
        self.deliveries(deck).resume()
        phone.sync()
        assert phone.col.note_count() == 6
        assert owner.call("manage-delivery", {"deck_id": deck, "action": "start"}, status=400)["code"] == "OWN_DECK"

    def test_an_administrator_can_do_it(self):
        _, deck = self.deck()
        s = self.subscriber()
        s.decks.add(deck)
        admin("deck", "deliver", deck, s.account.name)
        self.deliveries(deck).wait()
        s.sync()
        assert s.two.col.note_count() == 8
        admin("deck", "deliver", deck, s.account.name, "--stop-keeping", "nothing")
        self.deliveries(deck).wait()
        s.sync()
        assert s.two.col.note_count() == 2


if __name__ == "__main__":
    main()
