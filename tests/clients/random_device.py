"""Real clients in a separate process, driven by JSON lines, for random_devices_test.py.

Runs with any version of the package `anki` since 2.1.66. Each line on standard input is a command, and each line on
standard output is its answer. The clock stands still (libfaketime) and every command sets it, so that the values that a
client takes from it (ids, modification times) are the same every time a script is played. A device with a wrong clock
is a device whose commands set another time. An operation is a name and a number: the number chooses the objects. It
chooses them by their ids and not by their places in a list, so that a script with fewer operations applies the
remaining ones to the same objects.
"""

import copy
import hashlib
import inspect
import json
import os
import random
import re
import shutil
import sys
import time

DAY_MS = 86_400_000


def set_clock(milliseconds):
    # Adds half a millisecond, because libfaketime reads the fraction as a double and rounds down.
    seconds, rest = divmod(milliseconds, 1000)
    os.environ["FAKETIME"] = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{rest:03}5"


if __name__ == "__main__":
    set_clock(int(sys.argv[1]))

import anki.lang  # noqa: E402
from anki import scheduler_pb2, sync_pb2  # noqa: E402
from anki.collection import Collection  # noqa: E402

WORDS = ("Hund", "cat", "\u00fcber", "d\u00e9j\u00e0", "\u0436\u0443\u043a", "<b>bold</b>", "x &amp; y", "\u732b")
DECKS = ("Spanish", "French", "Bio", "bio", "Chapter 1", "Chapter 2", "Chapter 3", "Spanish::Verbs", "Bio::Cells",
         "\u00c4pfel")
TAGS = ("verb", "noun", "verb::irregular", "verb::regular", "noun::plural", "\u00fcbung", "leech", "marked")
KEYS = ("addon", "sortType", "who", "a b")
FULL = (sync_pb2.SyncCollectionResponse.FULL_SYNC, sync_pb2.SyncCollectionResponse.FULL_DOWNLOAD,
        sync_pb2.SyncCollectionResponse.FULL_UPLOAD)


class Nothing(Exception):
    """The collection has no object for this operation."""


class Person:
    """What a person does at one moment on one device. `number` chooses the objects; the script began at `zero`."""

    def __init__(self, device, number, zero):
        self.device, self.col, self.zero = device, device.col, zero
        self.random = random.Random(number)
        # People work on the same things on several devices: more than half of the choices follow one of four tastes.
        self.taste = number % 4 if self.random.random() < 0.6 else number

    # --- Choosing

    def _rank(self, number):
        relative = number - self.zero if abs(number - self.zero) < DAY_MS else number
        return hashlib.blake2b(f"{self.taste} {relative}".encode(), digest_size=8).digest()

    def some(self, numbers, most):
        numbers = sorted(numbers, key=self._rank)[:self.random.randint(1, most)]
        if not numbers:
            raise Nothing
        return numbers

    def one(self, numbers):
        return self.some(numbers, 1)[0]

    def ids(self, table, where="1"):
        return self.col.db.list(f"select id from {table} where {where}")

    def cards(self, most=3, where="1"):
        return self.some(self.ids("cards", where), most)

    def note(self):
        return self.col.get_note(self.one(self.ids("notes")))

    def deck_names(self, filtered=None):
        """{id: name} of all decks, or only of filtered decks (True) or normal decks (False)."""
        return {deck["id"]: deck["name"] for deck in self.col.decks.all()
                if filtered is None or bool(deck["dyn"]) == filtered}

    def deck(self, filtered=False, default=True):
        return self.one([did for did in self.deck_names(filtered) if default or did != 1])

    def filtered(self):
        if not self.deck_names(True):
            self.create_filtered()
        return self.deck(filtered=True)

    def notetype(self):
        return copy.deepcopy(self.col.models.get(self.one(self.ids("notetypes"))))

    def preset(self):
        return self.col.decks.get_config(self.one(self.ids("deck_config")))

    def word(self):
        return f"{self.random.choice(WORDS)} {self.random.randrange(1000)}"

    def tag(self):
        return self.random.choice(TAGS)

    # --- Notes

    def add_note(self, first=None):
        notetype = self.notetype()
        note = self.col.new_note(notetype)
        for n in range(len(note.fields)):
            note.fields[n] = self.word()
        if notetype["type"] == 1:
            # One cloze only: a client puts several new cards of a note in random order.
            note.fields[0] = f"{{{{c1::{self.word()}}}}} and {self.word()}"
        if first is not None:
            note.fields[0] = first
        note.tags = sorted({self.tag() for _ in range(self.random.randrange(3))})
        did = self.deck()
        self.col.add_note(note, did)
        return f"{note.id} of {notetype['name']} in {self.deck_names()[did]}"

    def add_duplicate(self):
        return self.add_note(self.note().fields[0])

    def add_many(self):
        """Adds more notes than a client sends in one message."""
        from anki.collection import AddNoteRequest  # not in 2.1.66
        notetype, did = self.notetype(), self.deck()
        requests = []
        for n in range(260):
            note = self.col.new_note(notetype)
            note.fields[0] = f"{{{{c1::{self.word()}}}}}" if notetype["type"] == 1 else f"{n} {self.word()}"
            note.fields[1:2] = [self.word()] if len(note.fields) > 1 else []
            requests.append(AddNoteRequest(note, did))
        self.col.add_notes(requests)
        return f"{notetype['name']} in {self.deck_names()[did]}"

    def change_many(self):
        notes, cards = self.ids("notes"), self.ids("cards")
        kind = self.random.randrange(4)
        if kind == 0:
            self.col.tags.bulk_add(notes, self.tag())
        elif kind == 1:
            self.col.set_user_flag_for_cards(self.random.randrange(8), cards)
        elif kind == 2:
            self.col.set_deck(cards, self.deck())
        else:
            self.col.remove_notes([note for note in notes if self._rank(note)[0] < 200])
        return ("tagged", "flagged", "moved", "removed")[kind]

    def edit_note(self):
        note = self.note()
        n = self.random.randrange(len(note.fields))
        kept = " {{c1::one}} {{c3::three}}" if "{{c" in note.fields[n] else ""
        note.fields[n] = self.word() + kept
        self.col.update_note(note)
        return f"{note.id} field {n}: {note.fields[n]}"

    def edit_tags(self):
        note = self.note()
        note.tags = [self.tag()]
        self.col.update_note(note)
        return f"{note.id} {note.tags}"

    def remove_notes(self):
        notes = self.some(self.ids("notes"), 2)
        self.col.remove_notes(notes)
        return notes

    def remove_cards(self):
        cards = self.cards(2)
        self.col.remove_cards_and_orphaned_notes(cards)
        return cards

    def remove_empty_cards(self):
        found = [cid for note in self.col.get_empty_cards().notes for cid in note.card_ids]
        if not found:
            raise Nothing
        self.col.remove_cards_and_orphaned_notes(found)
        return found

    def find_replace(self):
        notes = self.some(self.ids("notes"), 4)
        self.col.find_and_replace(note_ids=notes, search="[0-9]", replacement="\u00b9", regex=True)
        return notes

    # --- Cards

    def _answer(self, did):
        self.col.decks.select(did)
        done = []
        for _ in range(self.random.randint(1, 3)):
            card = self.col.sched.getCard()
            if card is None:
                break
            card.start_timer()
            ease = self.random.randint(1, 4)
            self.col.sched.answerCard(card, ease)
            done.append((card.id, ease))
            # A person does not answer two cards in one millisecond, and a client would give the second review an id
            # after all others.
            set_clock(int(time.time() * 1000) + 5)
        if not done:
            raise Nothing
        return f"in {self.deck_names()[did]}: {done}"

    def answer(self):
        return self._answer(self.deck())

    def answer_in_filtered(self):
        return self._answer(self.filtered())

    def suspend(self):
        cards = self.cards()
        self.col.sched.suspend_cards(cards)
        return cards

    def unsuspend(self):
        if not self.ids("cards", "queue = -1"):
            return f"instead suspend: {self.suspend()}"
        cards = self.cards(where="queue = -1")
        self.col.sched.unsuspend_cards(cards)
        return cards

    def bury(self):
        cards = self.cards()
        self.col.sched.bury_cards(cards, manual=self.random.random() < 0.5)
        return cards

    def unbury(self):
        if not self.ids("cards", "queue in (-2, -3)"):
            return f"instead bury: {self.bury()}"
        cards = self.cards(where="queue in (-2, -3)")
        if self.random.random() < 0.5:
            self.col.sched.unbury_cards(cards)
            return cards
        did = self.col.db.scalar("select did from cards where id = ?", cards[0])
        self.col.sched.unbury_deck(did)
        return f"deck {did}"

    def flag(self):
        cards, flag = self.cards(), self.random.randrange(8)
        self.col.set_user_flag_for_cards(flag, cards)
        return f"{flag} on {cards}"

    def move_cards(self):
        cards, did = self.cards(), self.deck()
        self.col.set_deck(cards, did)
        return f"{cards} to {self.deck_names()[did]}"

    def set_due(self):
        cards, days = self.cards(), self.random.choice(("0", "3", "5!"))
        self.col.sched.set_due_date(cards, days)
        return f"{cards} {days}"

    def forget(self):
        cards = self.cards()
        self.col.sched.schedule_cards_as_new(cards, restore_position=self.random.random() < 0.5,
                                             reset_counts=self.random.random() < 0.5)
        return cards

    def reposition(self):
        cards = self.cards(where="type = 0")
        self.col.sched.reposition_new_cards(cards, starting_from=self.random.randint(0, 20), step_size=1, randomize=False,
                                            shift_existing=self.random.random() < 0.5)
        return cards

    def custom_study(self):
        request = scheduler_pb2.CustomStudyRequest(deck_id=self.deck())
        kind = self.random.randrange(4)
        if kind == 0:
            request.new_limit_delta = 3
        elif kind == 1:
            request.review_limit_delta = 3
        elif kind == 2:
            request.preview_days = 2
        else:
            request.cram.kind = 2  # due cards; the others are in random order
            request.cram.card_limit = 5
        self.col.sched.custom_study(request)
        return kind

    # --- Decks

    def create_deck(self):
        name = self.random.choice(DECKS)
        return f"{name}: {self.col.decks.id(name)}"

    def _rename_deck(self, did, name):
        self.col.decks.rename(did, name)

    def rename_deck(self):
        did, name = self.deck(filtered=None), self.random.choice(DECKS)
        old = self.deck_names()[did]
        self._rename_deck(did, name)
        return f"{old} to {name}"

    def change_case(self):
        did = self.deck()
        name = self.deck_names()[did].swapcase()
        self._rename_deck(did, name)
        return f"to {name}"

    def reparent_deck(self):
        did = self.deck(default=False)
        parent = self.one([0, *(other for other in self.deck_names(False) if other != did)])
        self.col.decks.reparent([did], parent)
        return f"{did} into {parent}"

    def remove_deck(self):
        did = self.deck(default=False)
        name = self.deck_names()[did]
        self.col.decks.remove([did])
        return name

    def replace_deck(self):
        """Renames a deck and gives its old name to a new deck."""
        did = self.deck()
        name = self.deck_names()[did]
        self._rename_deck(did, name + " old")
        return f"{name}: {self.col.decks.id(name)}"

    def swap_decks(self):
        names = self.deck_names(False)
        (one, first), (two, second) = [(did, names[did]) for did in self.pair(names)]
        self._rename_deck(one, "between")
        self._rename_deck(two, first)
        self._rename_deck(one, second)
        return f"{first} and {second}"

    def pair(self, numbers):
        found = sorted(numbers, key=self._rank)[:2]
        if len(found) < 2:
            raise Nothing
        return found

    def _chapters(self, names):
        found = sorted((int(name[8:]), number) for number, name in names.items() if re.fullmatch(r"Chapter \d+", name))
        if not found:
            raise Nothing
        return found

    def shift_decks(self):
        """Makes room for a new first chapter: all chapters move up by one."""
        chapters = self._chapters(self.deck_names(False))
        for n, did in reversed(chapters):
            self._rename_deck(did, f"Chapter {n + 1}")
        if self.random.random() < 0.5:
            self.col.decks.id(f"Chapter {chapters[0][0]}")
        return chapters

    def remove_and_shift_decks(self):
        """Removes the first chapter; all others move down by one."""
        chapters = self._chapters(self.deck_names(False))
        self.col.decks.remove([chapters[0][1]])
        for n, did in chapters[1:]:
            self._rename_deck(did, f"Chapter {n - 1}")
        return chapters

    def describe_deck(self):
        deck = self.col.decks.get(self.deck())
        deck["desc"] = self.word()
        self.col.decks.save(deck)
        return f"{deck['name']}: {deck['desc']}"

    def collapse_deck(self):
        did = self.deck(filtered=None)
        self.col.decks.collapse(did)
        return did

    def select_deck(self):
        did = self.deck()
        self.col.decks.select(did)
        return did

    # --- Filtered decks

    def create_filtered(self):
        deck = self.col.sched.get_or_create_filtered_deck(0)
        deck.name = self.random.choice(("Cram", "Filtered", "Spanish::Cram"))
        if hasattr(deck, "allow_empty"):
            deck.allow_empty = True
        deck.config.reschedule = self.random.random() < 0.7
        term = deck.config.search_terms[0]
        names = sorted(self.deck_names(False).values())
        term.search = self.random.choice(("", "is:new", f'deck:"{self.random.choice(names)}"'))
        term.limit = self.random.randint(2, 8)
        term.order = 5  # in the order of adding; other orders are random or depend on times in the database
        del deck.config.search_terms[1:]
        return f"{deck.name}: {self.col.sched.add_or_update_filtered_deck(deck).id}"

    def rebuild_filtered(self):
        did = self.filtered()
        self.col.sched.rebuild_filtered_deck(did)
        return did

    def empty_filtered(self):
        did = self.filtered()
        self.col.sched.empty_filtered_deck(did)
        return did

    def remove_filtered(self):
        did = self.filtered()
        self.col.decks.remove([did])
        return did

    # --- Deck options

    def add_preset(self):
        name = self.random.choice(("Hard", "Easy"))
        return f"{name}: {self.col.decks.add_config(name)['id']}"

    def edit_preset(self):
        preset = self.preset()
        preset["new"]["perDay"] = self.random.randint(5, 50)
        preset["rev"]["maxIvl"] = self.random.randint(50, 500)
        self.col.decks.update_config(preset)
        return preset["id"]

    def rename_preset(self):
        preset = self.preset()
        preset["name"] = self.random.choice(("Hard", "Easy", "Other"))
        self.col.decks.update_config(preset)
        return preset["id"]

    def assign_preset(self):
        deck, preset = self.col.decks.get(self.deck()), self.preset()
        self.col.decks.set_config_id_for_deck_dict(deck, preset["id"])
        return f"{preset['id']} to {deck['name']}"

    def options_dialog(self):
        """Sends what the options screen of the desktop client sends when it is closed."""
        from anki.deck_config_pb2 import UpdateDeckConfigsRequest
        did = self.deck()
        info = self.col.decks.get_deck_configs_for_update(did)
        request = UpdateDeckConfigsRequest(target_deck_id=did, card_state_customizer=info.card_state_customizer,
                                           limits=info.current_deck.limits)
        if hasattr(info, "fsrs"):
            request.fsrs = info.fsrs
        for entry in info.all_config:
            request.configs.add().CopyFrom(entry.config)
        # The client assigns the last preset of the request to the deck.
        request.configs[-1].config.new_per_day = self.random.randint(5, 50)
        self.col.decks.update_deck_configs(request)
        return did

    # --- Notetypes

    def edit_css(self):
        notetype = self.notetype()
        notetype["css"] = f".card {{ margin: {self.random.randrange(100)}px }}"
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def edit_template(self):
        notetype = self.notetype()
        template = self.random.choice(notetype["tmpls"])
        template["qfmt"] += f"<i>{self.random.randrange(100)}</i>"
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def rename_template(self):
        notetype = self.notetype()
        notetype["tmpls"][0]["name"] = self.word()
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def rename_field(self):
        notetype = self.notetype()
        field = notetype["flds"][-1]
        self.col.models.rename_field(notetype, field, f"Field {self.random.randrange(100)}")
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def _rename_notetype(self, number, name):
        notetype = copy.deepcopy(self.col.models.get(number))
        notetype["name"] = name
        self.col.models.update_dict(notetype)

    def rename_notetype(self):
        notetype, name = self.notetype(), self.random.choice(("Basic", "basic", "Vocab", "Cloze", "Chapter 1"))
        self._rename_notetype(notetype["id"], name)
        return f"{notetype['name']} to {name}"

    def _notetype_names(self):
        return {entry.id: entry.name for entry in self.col.models.all_names_and_ids()}

    def swap_notetypes(self):
        names = self._notetype_names()
        one, two = self.pair(names)
        self._rename_notetype(one, "between")
        self._rename_notetype(two, names[one])
        self._rename_notetype(one, names[two])
        return f"{names[one]} and {names[two]}"

    def shift_notetypes(self):
        chapters = self._chapters(self._notetype_names())
        for n, number in reversed(chapters):
            self._rename_notetype(number, f"Chapter {n + 1}")
        return chapters

    def copy_notetype(self):
        notetype = self.notetype()
        notetype.update(id=0, name=self.random.choice(("Vocab", "Chapter 1", "Chapter 2", notetype["name"])))
        self.col.models.add_dict(notetype)
        return notetype["name"]

    # --- Tags

    def add_tags(self):
        notes, tag = self.some(self.ids("notes"), 3), self.tag()
        self.col.tags.bulk_add(notes, tag)
        return f"{tag} to {notes}"

    def add_case_variant(self):
        notes, tag = self.some(self.ids("notes"), 3), self.tag().swapcase()
        self.col.tags.bulk_add(notes, tag)
        return f"{tag} to {notes}"

    def remove_tags(self):
        notes, tag = self.some(self.ids("notes"), 3), self.tag()
        self.col.tags.bulk_remove(notes, tag)
        return f"{tag} from {notes}"

    def _known_tag(self):
        tags = sorted(self.col.tags.all())
        if not tags:
            raise Nothing
        return self.random.choice(tags)

    def rename_tag(self):
        old, new = self._known_tag(), self.tag()
        self.col.tags.rename(old, new)
        return f"{old} to {new}"

    def reparent_tag(self):
        tag, parent = self._known_tag(), self.random.choice(("", self.tag()))
        self.col.tags.reparent([tag], parent)
        return f"{tag} into {parent}"

    def delete_tag(self):
        tag = self._known_tag()
        self.col.tags.remove(tag)
        return tag

    def clear_tags(self):
        self.col.tags.clear_unused_tags()

    def collapse_tag(self):
        tag = self._known_tag()
        self.col.tags.set_collapsed(tag, False)
        return tag

    # --- The rest

    def undo(self):
        self.col.undo()

    def redo(self):
        self.col.redo()

    def set_key(self):
        key, value = self.random.choice(KEYS), self.random.choice((1, "text", [1, {"x": None}], 2.5, {"a": self.word()}))
        self.col.set_config(key, value)
        return f"{key} = {value}"

    def remove_key(self):
        key = self.random.choice(KEYS)
        self.col.remove_config(key)
        return key

    def switch_fsrs(self):
        is_on = self.random.random() < 0.7
        self.col.set_config("fsrs", is_on)
        return is_on

    def preferences(self):
        preferences = self.col.get_preferences()
        preferences.scheduling.learn_ahead_secs = self.random.choice((600, 1200, 1800))
        preferences.reviewing.show_remaining_due_counts = self.random.random() < 0.5
        self.col.set_preferences(preferences)

    def reopen(self):
        self.device.reopen()

    def check_database(self):
        return self.col.fix_integrity()[0]

    def a_day_passes(self):
        """Makes the collection a day older; the server and all other devices do the same."""
        self.col.db.execute("update col set crt = crt - 86400")
        self.device.reopen()

    # --- Operations that require a full sync

    def remove_notetype(self):
        notetype = self.notetype()
        self.col.models.remove(notetype["id"])
        return notetype["name"]

    def add_field(self):
        notetype = self.notetype()
        self.col.models.add_field(notetype, self.col.models.new_field(f"Extra {self.random.randrange(100)}"))
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def remove_field(self):
        notetype = self.notetype()
        self.col.models.remove_field(notetype, notetype["flds"][-1])
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def move_field(self):
        notetype = self.notetype()
        self.col.models.reposition_field(notetype, notetype["flds"][-1], 0)
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def add_template(self):
        notetype = self.notetype()
        template = self.col.models.new_template(f"Card {self.random.randrange(100)}")
        template["qfmt"] = f"{{{{{notetype['flds'][-1]['name']}}}}} {self.random.randrange(100)}"
        template["afmt"] = "{{FrontSide}}"
        self.col.models.add_template(notetype, template)
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def remove_template(self):
        notetype = self.notetype()
        self.col.models.remove_template(notetype, notetype["tmpls"][-1])
        self.col.models.update_dict(notetype)
        return notetype["name"]

    def change_notetype(self):
        note, target = self.note(), self.notetype()
        info = self.col.models.change_notetype_info(old_notetype_id=note.mid, new_notetype_id=target["id"])
        info.input.note_ids.append(note.id)
        self.col.models.change_notetype_of_notes(info.input)
        return f"{note.id} to {target['name']}"

    def remove_preset(self):
        number = self.one([number for number in self.ids("deck_config") if number != 1])
        self.col.decks.remove_config(number)
        return number


class Device:
    def __init__(self, path, key, endpoint):
        self.path = path
        self.auth = sync_pb2.SyncAuth(hkey=key, endpoint=endpoint)
        self.col = Collection(path)

    def reopen(self):
        self.col.close()
        self.col = Collection(self.path)

    def schema(self):
        return self.col.db.scalar("select scm from col")

    def state(self):
        """Differs after a sync that transferred anything. Omits the collection's time, which every sync changes."""
        tables = ("notes", "cards", "revlog", "graves", "notetypes", "decks", "deck_config", "tags")
        return [self.col.db.first(f"select count(), max(usn), min(usn), total(usn) from {table}") for table in tables
                ] + self.col.db.all("select key, val from config order by key") + self.col.db.all("select crt, scm from col")


def play(device, command):
    """Performs an operation. If the client refuses it, that is not a fault and the script goes on."""
    person = Person(device, command["number"], command["zero"])
    try:
        did = getattr(person, command["name"])()
        done = "done"
    except Nothing:
        did, done = "", "nothing"
    except Exception as problem:  # pylint: disable=broad-except
        did, done = f"{type(problem).__name__}: {problem}", "refused"
    return {"result": done, "what": str(did)[:300], "schema": device.schema()}


def sync(device, endpoint):
    """Performs a normal sync, or names the full sync that is required instead. `endpoint` applies to this sync only."""
    before = device.state()
    auth = sync_pb2.SyncAuth(hkey=device.auth.hkey, endpoint=endpoint) if endpoint else device.auth
    if "sync_media" in inspect.signature(device.col.sync_collection).parameters:
        required = device.col.sync_collection(auth, False).required
    else:  # 2.1.66; its library holds a transaction open
        device.col.save(trx=False)
        try:
            required = device.col.sync_collection(auth).required
        finally:
            device.col.db.begin()
    after = device.state()
    return {"full": required in FULL, "required": sync_pb2.SyncCollectionResponse.ChangesRequired.Name(required),
            "changed": after != before}


def full_sync(device, upload):
    device.col.close_for_full_sync()
    try:
        if hasattr(device.col, "full_upload_or_download"):
            device.col.full_upload_or_download(auth=device.auth, server_usn=None, upload=upload)
        else:  # 2.1.66
            (device.col.full_upload if upload else device.col.full_download)(device.auth)
    finally:
        device.col.reopen(after_full_sync=True)
    return {"schema": device.schema()}


def make_template(path):
    """Makes the collection that every script begins with."""
    col = Collection(path)
    device = type("Fresh", (), {"col": col})()
    person = Person(device, 1, 0)
    moment = int(time.time() * 1000)
    for name in ("Spanish", "Spanish::Verbs", "Chapter 1", "Chapter 2", "Chapter 3"):
        moment += 1000
        set_clock(moment)
        col.decks.id(name)
    for name in ("Chapter 1", "Chapter 2"):
        moment += 1000
        set_clock(moment)
        notetype = copy.deepcopy(col.models.by_name("Basic (and reversed card)"))
        notetype.update(id=0, name=name)
        col.models.add_dict(notetype)
    col.decks.add_config("Hard")
    # Image occlusion needs pictures, and with fewer notetypes two devices more often change the same one.
    for notetype in col.models.all():
        if notetype["name"] not in ("Basic", "Cloze", "Chapter 1", "Chapter 2"):
            col.models.remove(notetype["id"])
    for n in range(10):
        moment += 1000
        set_clock(moment)
        person.random, person.taste = random.Random(n), n
        person.add_note()
    person.random = random.Random(3)
    for _ in range(3):
        moment += 1000
        set_clock(moment)
        try:
            person.answer()
        except Nothing:
            pass
    col.set_config("lastUnburied", 20)
    for table in ("cards", "notes", "revlog", "decks", "deck_config", "notetypes", "tags", "config"):
        col.db.execute(f"update {table} set usn = 0")
    col.db.execute("delete from graves")
    # Twenty days old, and nothing is pending, as after a full upload.
    col.db.execute("update col set usn = 1, ls = mod, crt = crt - 20 * 86400")
    col.close()


def integrity(path):
    """Runs Anki's own check on a copy and returns the problems as text, empty if there are none."""
    copied = path + ".copy"
    shutil.copyfile(path, copied)
    col = Collection(copied)
    try:
        text, _ = col.fix_integrity()
    finally:
        col.close()
        os.unlink(copied)
    return "\n".join(line for line in text.splitlines() if line != "Database rebuilt and optimized.")


def main():
    anki.lang.set_lang("en")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of the client must not mix with the answers
    devices = {}
    for line in sys.stdin:
        command = json.loads(line)
        set_clock(command["clock"])
        do, device = command["do"], devices.get(command.get("device"))
        try:
            if do == "play":
                answer = play(device, command)
            elif do == "sync":
                answer = sync(device, command.get("endpoint"))
            elif do == "full":
                answer = full_sync(device, command["upload"])
            elif do == "open":
                device = devices[command["device"]] = Device(command["path"], command["key"], command["endpoint"])
                answer = {"schema": device.schema()}
            elif do == "close":
                devices.pop(command["device"]).col.close()
                answer = {}
            elif do == "integrity":
                answer = {"text": integrity(command["path"])}
            elif do == "template":
                make_template(command["path"])
                answer = {}
            else:
                answer = {"error": f"no such command: {do}"}
        except Exception as problem:  # pylint: disable=broad-except
            answer = {"error": f"{type(problem).__name__}: {problem}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
