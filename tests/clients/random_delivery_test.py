"""Random work on a delivered deck: an author, and three subscribers with two real clients each, who change things in any order.

    random_delivery_test.py                       some rounds of fixed seeds
    random_delivery_test.py --rounds 20 --seed 7  other ones

After everybody has synced, the devices of an account are equal and Anki's check is clean; no sync has required a full one; each
edit of the author is there unless the subscriber has changed or protected the field; each change of a subscriber is there; and no
note is there twice, not even after the add-on has installed the same deck.
"""

import base64
import random
import re
import sys

from devices import assert_same, main
from decks_collection_test import import_download, note_of
from decks_delivery_test import TAG, DeliveryTest, edit, queues, tag

from decks_wire import forget_rates

TITLE = "A shared deck"
ROUNDS, SEEDS = 6, (3, 11)
PATHS = ("", "One", "One::Inner", "Two", "Three")


def options():
    """--rounds and --seed; the rest chooses tests."""
    rounds, seeds = ROUNDS, SEEDS
    for name in ("--rounds", "--seed"):
        if name in sys.argv:
            at = sys.argv.index(name)
            value = int(sys.argv[at + 1])
            del sys.argv[at:at + 2]
            rounds, seeds = (value, seeds) if name == "--rounds" else (rounds, (value,))
    return rounds, seeds


class Author:
    """Publishes by the calls of the add-on, and knows what the deck is."""

    def __init__(self, person, chance):
        self.person, self.chance = person, chance
        self.deck = person.deck(TITLE)
        self.cards, self.removed, self.files = {}, set(), {}
        self.texts = 0
        self.types = {name: {"fields": ["Front", "Back"], "css": f".card {{ top: {name}; }}", "templates": [
            {"name": "Card 1", "qfmt": "{{Front}}", "afmt": "{{Back}}"}]} for name in ("Plain", "Other")}
        self.push_types(*self.types)
        self.publish([self.new_card() for _ in range(14)])

    def text(self, who):
        self.texts += 1
        return f"{who} {self.texts}"

    def live(self):
        return [guid for guid in self.cards if guid not in self.removed]

    def some(self, most):
        live = self.live()
        return self.chance.sample(live, min(most, len(live)))

    def new_card(self):
        guid = f"r{len(self.cards):04}"
        kind = self.chance.choice(sorted(self.types))
        self.cards[guid] = {"type": kind, "tags": [], "path": self.chance.choice(PATHS),
                            "fields": {name: self.text("author") for name in self.types[kind]["fields"]}}
        return guid

    def publish(self, guids, removed=()):
        pushed = [{"card_guid": guid, "note_type": self.cards[guid]["type"], "fields": dict(self.cards[guid]["fields"]),
                   "tags": self.cards[guid]["tags"], "subdeck_path": self.cards[guid]["path"]} for guid in guids]
        self.person.push(self.deck, pushed, deleted_guids=list(removed))

    def push_types(self, *names):
        self.person.call("sync-note-types", {"deck_id": self.deck, "action": "push", "note_types": [
            {"name": name, **self.types[name]} for name in names]})

    # --- what authors do

    def edit(self):
        guids = self.some(3)
        for guid in guids:
            fields = self.cards[guid]["fields"]
            fields[self.chance.choice(sorted(fields))] = self.text("author")
        self.publish(guids)

    def add(self):
        self.publish([self.new_card() for _ in range(1 + self.chance.randrange(2))])

    def remove(self):
        guids = self.some(1)
        self.removed.update(guids)
        self.publish([], guids)

    def bring_back(self):
        guids = sorted(self.removed)[:1]
        self.removed.difference_update(guids)
        self.publish(guids)

    def change_tags(self):
        guids = self.some(2)
        for guid in guids:
            self.cards[guid]["tags"] = sorted(self.chance.sample(("chapter::1", "chapter::2", "hard", "new"), self.chance.randrange(3)))
        self.publish(guids)

    def change_design(self):
        kind = self.chance.choice(sorted(self.types))
        one = self.types[kind]
        if self.chance.random() < 0.5:
            one["css"] = f".card {{ top: {self.text('css')}; }}"
        else:
            one["templates"][0]["afmt"] = f"{{{{Back}}}} {self.text('design')}"
        self.push_types(kind)

    def add_template(self):
        kind = self.chance.choice(sorted(self.types))
        templates = self.types[kind]["templates"]
        if len(templates) < 3:
            templates.append({"name": f"Card {len(templates) + 1}", "qfmt": "{{Back}}" + str(len(templates)), "afmt": "{{Front}}"})
            self.push_types(kind)

    def add_field(self):
        kind = self.chance.choice(sorted(self.types))
        fields = self.types[kind]["fields"]
        if len(fields) < 5:
            fields.append(f"Extra {len(fields)}")
            self.push_types(kind)
            self.publish(self.fill(kind, fields[-1])[:3])

    def fill(self, kind, field):
        """Texts for a new field of all cards of a type; returns their guids. Cards that are not pushed have none."""
        guids = [guid for guid in self.live() if self.cards[guid]["type"] == kind]
        for guid in guids[:3]:
            self.cards[guid]["fields"][field] = self.text("author")
        return guids

    def reorder_fields(self):
        kind = self.chance.choice(sorted(self.types))
        self.types[kind]["fields"][1:] = self.types[kind]["fields"][:0:-1]
        self.push_types(kind)

    def move(self):
        guids = self.some(2)
        for guid in guids:
            self.cards[guid]["path"] = self.chance.choice(PATHS)
        self.publish(guids)

    def rename_subdeck(self):
        old = self.chance.choice(PATHS[1:])
        new = self.text("Renamed")
        guids = [guid for guid in self.live() if self.cards[guid]["path"] == old]
        for guid in guids:
            self.cards[guid]["path"] = new
        self.publish(guids)

    def media(self):
        name = self.chance.choice(("a.png", "b.png"))
        self.files[name] = self.text("bytes").encode()
        self.person.call("sync-media", {"deck_id": self.deck, "action": "upload", "file_name": name,
                                        "content_base64": base64.b64encode(self.files[name]).decode()})
        guids = self.some(1)
        for guid in guids:
            self.cards[guid]["fields"]["Front"] = f"<img src='{name}'> {self.text('author')}"
        self.publish(guids)

    def work(self):
        for _ in range(1 + self.chance.randrange(3)):
            self.chance.choice((self.edit, self.edit, self.edit, self.add, self.remove, self.bring_back, self.change_tags,
                                self.change_design, self.add_template, self.add_field, self.reorder_fields, self.move, self.rename_subdeck,
                                self.media))()


class Reader:
    """A subscriber, and what they have done. A device changes only notes of its own half: of two devices that have changed one note
    Anki itself keeps one."""

    def __init__(self, subscriber, author, chance):
        self.s, self.author, self.chance = subscriber, author, chance
        self.own, self.frozen = {}, set()             # (guid, field): text; fields that are protected
        self.sent = {}                                # id of a suggestion: guid, field, text
        self.tags, self.homes, self.days = {}, {}, {}  # by guid
        self.gone, self.asleep, self.touched = set(), set(), set()
        self.subscribe()

    def subscribe(self):
        self.s.start(self.author.deck).sync()

    def work(self, half):
        device = (self.s.one, self.s.two)[half]
        have = {guid for guid in device.col.db.list("SELECT guid FROM notes") if guid in self.author.cards and
                guid not in self.author.removed and int(guid[1:]) % 2 == half}
        for _ in range(self.chance.randrange(4)):
            have -= self.gone
            if not have:
                return
            guid = self.chance.choice(sorted(have))
            if -1 in queues(device, guid) or TAG in note_of(device.col, guid).tags:
                continue  # a card that came back, and a device that does not know: README, "Delivery"
            self.touched.add(guid)
            self.chance.choice((self.edit, self.edit, self.tag, self.review, self.move, self.suspend, self.delete))(device, guid)

    def edit(self, device, guid):
        field = self.chance.choice([name for name, _ in note_of(device.col, guid).items()])
        self.own[guid, field] = text = self.author.text("subscriber")
        edit(device, guid, **{field: text})

    def tag(self, device, guid):
        name = self.author.text("mine").replace(" ", "::")
        self.tags.setdefault(guid, set()).add(name)
        tag(device, guid, name)

    def review(self, device, guid):
        first = note_of(device.col, guid).cards()[0]
        device.col.sched.set_due_date([first.id], "7")
        self.days[guid] = first.id

    def move(self, device, guid):
        home = f"Own {int(guid[1:]) % 2}"  # two devices do not make one deck
        ids = [one.id for one in note_of(device.col, guid).cards()]
        device.col.set_deck(ids, device.deck(home))
        self.homes[guid] = home, ids

    def suspend(self, device, guid):
        device.col.sched.suspend_cards([one.id for one in note_of(device.col, guid).cards()])
        self.asleep.add(guid)

    def delete(self, device, guid):
        if self.chance.random() < 0.3:
            device.col.remove_notes([note_of(device.col, guid).id])
            self.gone.add(guid)

    def protect(self):
        if not self.frozen:
            self.frozen.add("Back")
            self.s.person.call("protected-fields", {"deck_id": self.author.deck, "fields": ["Back"]})

    def send(self):
        """What the server has of the edits; what the author then accepts is theirs."""
        answer = self.s.manage(self.author.deck, "send_edits")
        if not answer["suggestion_ids"]:
            return
        waiting = {one["id"]: one for one in self.author.person.call("list-suggestions", {"deck_id": self.author.deck})["suggestions"]}
        for number in answer["suggestion_ids"]:
            one = waiting.get(number)
            if one is None:
                continue
            key, text = (one["card_guid"], one["field_name"]), one["suggested_value"]
            assert text.startswith("subscriber"), ("only what subscribers write is an edit", one)
            if self.chance.random() < 0.5:
                self.author.person.call("review-suggestion", {"action": "reject", "suggestion_ids": [number]})
                continue
            if key[0] in self.author.removed:
                continue
            self.author.person.call("review-suggestion", {"action": "accept", "suggestion_ids": [number], "force": True})
            self.author.cards[key[0]]["fields"][key[1]] = text
            if self.own.get(key) == text:
                del self.own[key]


class Work:
    def __init__(self, test, seed):
        self.test, self.chance = test, random.Random(seed)
        self.author = Author(test.owner, self.chance)
        self.readers = [Reader(test.subscriber(), self.author, self.chance) for _ in range(3)]
        self.deliveries = test.deliveries(self.author.deck)

    def play(self, rounds):
        for number in range(rounds):
            forget_rates()
            away = self.chance.choice(self.readers) if self.chance.random() < 0.5 else None
            steps = [self.author.work] + [lambda r=r, h=h: r.work(h) for r in self.readers for h in range(2)]
            self.chance.shuffle(steps)
            for step in steps:
                step()
                reader = self.chance.choice(self.readers)
                if reader is not away and self.chance.random() < 0.5:
                    self.chance.choice((reader.s.one, reader.s.two)).sync()
            reader = self.chance.choice(self.readers)
            self.chance.choice((reader.protect, reader.send, reader.send, self.deliveries.wait, self.deliveries.wait))()
            if number % 5 == 2:
                self.settle()
        self.settle()

    def settle(self):
        for reader in self.readers:
            reader.s.sync()
        for _ in range(3):
            self.deliveries.wait().resume()
            for reader in self.readers:
                reader.s.sync()
        for number, reader in enumerate(self.readers):
            self.compare(reader, number)

    def compare(self, reader, number):
        s = reader.s
        assert_same(s.one, s.two)
        guids = s.two.col.db.list("SELECT guid FROM notes")
        assert len(guids) == len(set(guids)), "a doubled note"
        notes = s.notes()
        for guid, wanted in self.author.cards.items():
            where = f"subscriber {number}, {guid}"
            if guid in reader.gone:
                assert guid not in notes, (where, "came back")
            elif guid in self.author.removed:
                # Who works on a note that the device did not know as removed keeps it as it is.
                assert guid not in notes or TAG in notes[guid].tags or guid in reader.touched, (where, notes[guid].tags)
            else:
                assert guid in notes, (where, "is missing")
                self.compare_note(reader, guid, notes[guid], wanted, where)
        s.two.sync_media()
        for note in notes.values():
            for name in re.findall("src='([^']+)'", note.fields[0]):
                assert name in s.two.media(), (number, name, sorted(s.two.media()))

    def compare_note(self, reader, guid, note, wanted, where):
        for field, text in wanted["fields"].items():
            own = reader.own.get((guid, field))
            if own is None and field in reader.frozen:
                continue
            assert field in note, (where, field, note.keys())
            # A file may have another name here.
            shown = re.sub("src='[^']+'", "", note[field])
            assert shown == re.sub("src='[^']+'", "", own or text), (where, field, note[field], own, text)
        tags = set(note.tags)
        assert reader.tags.get(guid, set()) <= tags, (where, tags, reader.tags[guid])
        # A tag that a device takes away unknowingly comes again once: README, "Delivery".
        assert guid in reader.touched or {name for name in tags if not name.startswith("mine")} == set(wanted["tags"]), (where, tags, wanted)
        self.compare_design(note, self.author.types[wanted["type"]], where)
        self.compare_cards(reader, guid, note, wanted, where)

    def compare_design(self, note, design, where):
        have = note.note_type()
        assert have["css"] == design["css"], (where, have["css"], design["css"])
        assert set(design["fields"]) <= {one["name"] for one in have["flds"]}, (where, have["flds"])
        shown = [(one["name"], one["qfmt"], one["afmt"]) for one in have["tmpls"]]
        assert shown == [(one["name"], one["qfmt"], one["afmt"]) for one in design["templates"]], (where, shown, design["templates"])

    def compare_cards(self, reader, guid, note, wanted, where):
        home = "::".join(part for part in (TITLE, wanted["path"]) if part)
        own_home, moved = reader.homes.get(guid, (None, ()))
        cards = note.cards()
        assert len(cards) == len(note.note_type()["tmpls"]), (where, [one.ord for one in cards])
        for one in cards:
            name = reader.s.two.col.decks.name(one.did)
            assert name == (own_home if one.id in moved else home), (where, name, own_home, home, one.ord)
            assert one.ivl == 7 if reader.days.get(guid) == one.id else one.ivl == 0, (where, one.ivl)
        if guid in reader.asleep:
            assert queues(reader.s.two, guid)[0] == -1, (where, "suspended", queues(reader.s.two, guid))
        else:
            assert -1 not in queues(reader.s.two, guid), (where, queues(reader.s.two, guid))


class RandomDelivery(DeliveryTest):
    def test_random_work_on_all_sides_converges(self):
        rounds, seeds = CHOSEN
        for seed in seeds:
            print(f"seed {seed}, {rounds} rounds", flush=True)
            self.taken = 0
            work = Work(self, seed)
            work.play(rounds)
            self.install_with_the_add_on(work)
            for reader in work.readers:
                reader.s.leave()
            self.owner.call("delete-user-deck", {"deck_id": work.author.deck, "confirm": True})

    def install_with_the_add_on(self, work):
        """As the add-on does it, which knows notes by their guids."""
        s = work.readers[0].s
        before = sorted(s.one.col.db.list("SELECT guid FROM notes"))
        download = s.person.download(work.author.deck)
        download["cards"] = [one for one in download["cards"] if one["guid"] not in before]
        import_download(s.one.col, download)
        s.sync()
        work.deliveries.resume()
        s.sync()
        guids = s.two.col.db.list("SELECT guid FROM notes")
        assert len(guids) == len(set(guids)) and set(before) <= set(guids)
        assert_same(s.one, s.two)


CHOSEN = options()

if __name__ == "__main__":
    main()
