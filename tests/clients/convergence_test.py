"""Deletions on one device during changes on another, names that move between decks, and wrong clocks: all devices
converge to one collection, by normal syncs."""

import copy

from devices import ClientTest, assert_same, main, round_of


def names_of(device, table):
    """{id: name}; the levels of deck names are joined by "::"."""
    return {number: name.replace("\x1f", "::")
            for number, name in device.col.db.all(f"select id, name from {table}")}


def clock_ahead(device, seconds):
    """Moves the times of changes since this device's last sync ahead, as if its clock were wrong."""
    for table, column in (("notes", "mod"), ("cards", "mod"), ("decks", "mtime_secs"), ("notetypes", "mtime_secs"),
                          ("deck_config", "mtime_secs")):
        device.col.db.execute(f"update {table} set {column} = {column} + ? where usn = -1", seconds)
    device.col.db.execute("update col set mod = mod + ?", seconds * 1000)
    device.reopen()


class ThreeDevices(ClientTest):
    """`one` and `two` make changes; `third` only receives, several syncs at once."""

    def setUp(self):
        super().setUp()
        self.one, self.two = self.pair(4)
        self.third = self.account.device().download()

    def converge(self, *order):
        for device in order or (self.one, self.two, self.one, self.third):
            device.sync()
        for device in (self.one, self.two, self.third, self.one):
            device.sync()
        assert_same(self.one, self.two)
        assert_same(self.one, self.third)
        round_of(self.one, self.two)


class DeletedHereChangedThere(ThreeDevices):
    """`one` changes something and syncs; `two`, without that change, deletes it and syncs."""

    def test_an_edited_note(self):
        note = self.one.col.find_notes("")[0]
        self.one.edit("note <b>0</b> &amp; \u00e9", Back="edited")
        self.two.col.remove_notes([note])
        self.converge()
        self.assertEqual(self.third.count("notes"), 3)

    def test_an_answered_card(self):
        card = self.one.answer("Default")[0]
        self.two.col.remove_notes([self.two.col.get_card(card).nid])
        self.converge()
        self.assertEqual(self.third.count("cards"), 3)
        self.assertEqual(self.third.count("revlog"), 1)

    def test_a_flagged_card_of_a_note_with_two(self):
        self.one.add_note("twice", notetype="Basic (and reversed card)")
        self.converge()
        cards = self.one.note("twice").card_ids()
        self.one.col.set_user_flag_for_cards(2, cards)
        self.two.col.remove_cards_and_orphaned_notes(cards[1:])
        self.converge()
        self.assertEqual(self.third.note("twice").card_ids(), cards[:1])

    def test_a_renamed_deck(self):
        self.one.add_note("in it", "Doomed")
        self.converge()
        self.one.col.decks.rename(self.one.col.decks.by_name("Doomed"), "Renamed")
        self.two.col.decks.remove([self.two.deck("Doomed")])
        self.converge()
        self.assertEqual(sorted(names_of(self.third, "decks").values()), ["Default"])

    def test_a_deck_whose_cards_were_answered(self):
        self.one.add_note("in it", "Doomed::Child")
        self.converge()
        self.one.answer("Doomed::Child")
        self.two.col.decks.remove([self.two.deck("Doomed")])
        self.converge()
        self.assertEqual(sorted(names_of(self.third, "decks").values()), ["Default"])

    def test_a_filtered_deck_whose_cards_were_answered(self):
        deck = self.one.col.sched.get_or_create_filtered_deck(0)
        deck.name = "Cram"
        deck.config.search_terms[0].search = ""
        deck_id = self.one.col.sched.add_or_update_filtered_deck(deck).id
        self.converge()
        self.one.answer("Cram", 2)
        self.two.col.decks.remove([deck_id])
        self.converge()
        self.assertNotIn("Cram", names_of(self.third, "decks").values())

    def test_a_deck_whose_name_is_reused(self):
        self.one.add_note("in it", "Spanish")
        self.converge()
        self.one.answer("Spanish")
        self.two.col.decks.remove([self.two.deck("Spanish")])
        self.two.add_note("in the new one", "Spanish")
        self.converge()
        self.assertEqual(sorted(names_of(self.third, "decks").values()), ["Default", "Spanish"])

    def test_many_of_everything(self):
        self.one.add_notes(600, "many", "Many")
        self.converge()
        for number, note in enumerate(self.one.col.find_notes("deck:Many")):
            if number % 2:
                self.one.col.tags.bulk_add([note], "edited")
        self.one.col.sched.suspend_cards(self.one.col.find_cards("deck:Many")[::3])
        self.two.col.remove_notes(self.two.col.find_notes("deck:Many")[100:500])
        self.converge()
        self.assertEqual(self.third.count("notes"), 204)


class NamesThatMove(ThreeDevices):
    def rename(self, device, names):
        """Renames decks as by drag and drop: {old: new}, one after the other in this order."""
        for old, new in names.items():
            device.col.decks.rename(device.col.decks.by_name(old), new)

    def assert_decks(self, expected):
        for device in (self.one, self.two, self.third):
            self.assertEqual(names_of(device, "decks"), {1: "Default", **expected})

    def make(self, *names):
        ids = [self.one.deck(name) for name in names]
        self.converge()
        return ids

    def test_a_name_given_up_and_taken_by_a_new_deck(self):
        old, = self.make("Spanish")
        self.rename(self.one, {"Spanish": "Spanish old"})
        new = self.one.deck("Spanish")
        self.converge()
        self.assert_decks({old: "Spanish old", new: "Spanish"})

    def test_a_name_given_up_and_taken_by_a_new_notetype(self):
        def add(name):
            notetype = copy.deepcopy(self.one.col.models.by_name("Basic"))
            notetype.update(id=0, name=name)
            return self.one.col.models.add_dict(notetype).id

        old = add("Vocab")
        self.converge()
        notetype = self.one.col.models.get(old)
        notetype["name"] = "Vocab old"
        self.one.col.models.update_dict(notetype)
        new = add("Vocab")
        self.converge()
        for device in (self.one, self.two, self.third):
            names = names_of(device, "notetypes")
            self.assertEqual((names[old], names[new]), ("Vocab old", "Vocab"))

    def test_two_notetypes_swap_their_names(self):
        basic, cloze = (self.one.col.models.by_name(name)["id"] for name in ("Basic", "Cloze"))
        for number, name in ((basic, "between"), (cloze, "Basic"), (basic, "Cloze")):
            notetype = self.one.col.models.get(number)
            notetype["name"] = name
            self.one.col.models.update_dict(notetype)
        self.converge()
        for device in (self.one, self.two, self.third):
            names = names_of(device, "notetypes")
            self.assertEqual((names[basic], names[cloze]), ("Cloze", "Basic"))

    def test_chapters_moved_up_by_one(self):
        ids = self.make(*(f"Book::Chapter {n}" for n in range(1, 5)))
        self.rename(self.one, {f"Book::Chapter {n}": f"Book::Chapter {n + 1}" for n in range(4, 0, -1)})
        first = self.one.deck("Book::Chapter 1")
        self.converge()
        book = self.one.deck("Book")
        self.assert_decks({book: "Book", first: "Book::Chapter 1",
                           **{number: f"Book::Chapter {n}" for n, number in enumerate(ids, 2)}})

    def test_the_first_chapter_deleted_and_the_rest_moved_down(self):
        ids = self.make(*(f"Chapter {n}" for n in range(1, 5)))
        self.one.col.decks.remove(ids[:1])
        self.rename(self.one, {f"Chapter {n}": f"Chapter {n - 1}" for n in range(2, 5)})
        self.converge()
        self.assert_decks({number: f"Chapter {n}" for n, number in enumerate(ids[1:], 1)})

    def test_two_decks_swap_their_names(self):
        first, second = self.make("First", "Second")
        self.rename(self.one, {"First": "between", "Second": "First", "between": "Second"})
        self.converge()
        self.assert_decks({first: "Second", second: "First"})

    def test_names_of_different_case_rotate(self):
        ids = self.make("Alpha", "Beta", "Gamma")
        self.rename(self.one, {"Alpha": "x", "Beta": "ALPHA", "Gamma": "bETA", "x": "gamma"})
        self.converge()
        self.assert_decks(dict(zip(ids, ("gamma", "ALPHA", "bETA"))))

    def test_moves_of_several_syncs_arrive_at_once(self):
        ids = self.make(*(f"Chapter {n}" for n in range(1, 5)))
        self.rename(self.one, {f"Chapter {n}": f"Chapter {n + 1}" for n in range(4, 0, -1)})
        self.one.sync()
        self.two.sync()
        self.rename(self.two, {"Chapter 5": "Chapter 1"})
        self.two.sync()
        self.one.sync()
        self.rename(self.one, {"Chapter 2": "x", "Chapter 3": "Chapter 2", "x": "Chapter 3"})
        self.converge()
        self.assert_decks(dict(zip(ids, ("Chapter 3", "Chapter 2", "Chapter 4", "Chapter 1"))))

    def test_moves_clash_with_unsent_names_of_the_receiver(self):
        first, second = self.make("First", "Second")
        self.rename(self.one, {"First": "between", "Second": "First", "between": "Second"})
        self.rename(self.two, {"Second": "Third"})
        new = self.two.deck("Second")
        self.one.sync()
        self.two.sync()
        self.converge()
        names = names_of(self.third, "decks")
        self.assertEqual(len(set(names.values())), len(names))
        self.assertEqual(set(names), {1, first, second, new})


class WrongClocks(ThreeDevices):
    def test_the_device_with_the_fast_clock_takes_its_new_name(self):
        self.one.add_note("of one", "Bio")
        self.two.add_note("of two", "bio")
        clock_ahead(self.two, 120)
        self.converge()
        self.assertEqual(sorted(names_of(self.third, "decks").values()), ["Bio", "Default", "bio+"])

    def test_a_notetype_of_the_fast_device_takes_its_new_name(self):
        for device, name in ((self.one, "Bio"), (self.two, "bio")):
            notetype = copy.deepcopy(device.col.models.by_name("Basic"))
            notetype.update(id=0, name=name)
            device.col.models.add_dict(notetype)
        clock_ahead(self.two, 120)
        self.converge()

    def test_options_edited_on_a_fast_device_and_then_on_another(self):
        options = self.one.col.decks.get_config(1)
        options["maxTaken"] = 11
        self.one.col.decks.update_config(options)
        clock_ahead(self.one, 200)
        self.converge()
        options = self.two.col.decks.get_config(1)
        self.assertEqual(options["maxTaken"], 11)
        options["maxTaken"] = 22
        self.two.col.decks.update_config(options)
        self.converge()
        self.assertEqual(self.third.col.decks.get_config(1)["maxTaken"], 22)

    def test_a_deck_and_a_notetype_edited_on_a_fast_device_and_then_on_another(self):
        deck = self.one.deck("Deck")
        self.converge()
        for device, word, seconds in ((self.one, "first", 200), (self.two, "second", 0)):
            changed = device.col.decks.get(deck)
            changed["desc"] = word
            device.col.decks.save(changed)
            basic = device.col.models.by_name("Basic")
            basic["css"] = word
            device.col.models.update_dict(basic)
            clock_ahead(device, seconds)
            self.converge()
        self.assertEqual(self.third.col.decks.get(deck)["desc"], "second")
        self.assertEqual(self.third.col.models.by_name("Basic")["css"], "second")

    def test_a_note_and_a_card_changed_on_a_fast_device_and_then_on_another(self):
        for device, word, seconds in ((self.one, "first", 200), (self.two, "second", 0)):
            device.edit("note <b>0</b> &amp; \u00e9", Back=word)
            device.col.set_user_flag_for_cards(1 if seconds else 2, device.col.find_cards("")[:1])
            clock_ahead(device, seconds)
            self.converge()
        self.assertEqual(self.third.note("note <b>0</b> &amp; \u00e9")["Back"], "second")
        self.assertEqual(self.third.col.get_card(self.third.col.find_cards("")[0]).flags, 2)


class OneMoment(ThreeDevices):
    def test_of_two_reviews_in_one_millisecond_none_is_lost(self):
        for device, ease in ((self.one, 1), (self.two, 4)):
            device.answer("Default", 1, ease=ease)
        moment = self.one.col.db.scalar("select max(id) from revlog")
        self.two.col.db.execute("update revlog set id = ?", moment)
        self.two.reopen()
        for device in (self.one, self.two, self.one, self.two, self.third, self.one):
            device.sync()
        both = [[moment, 1], [moment + 1, 4]]
        for device in (self.one, self.third):
            self.assertEqual(device.col.db.all("select id, ease from revlog order by id"), both)
        # No client changes an existing review: the second device has its own twice until it downloads.
        self.assertEqual(self.two.col.db.list("select ease from revlog order by id"), [4, 4])
        self.one.add_note("a sync")
        self.two.add_note("another sync")
        self.converge_but_reviews()
        self.two.download()
        self.converge()

    def converge_but_reviews(self):
        for device in (self.one, self.two, self.third, self.one, self.two):
            device.sync()
        assert_same(self.one, self.two, but=("revlog",))


if __name__ == "__main__":
    main()
