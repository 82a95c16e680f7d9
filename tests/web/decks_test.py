"""The pages of shared decks in a browser: finding and following, one's own decks, reviewing suggestions, versions, history."""

import functools
import os
import pathlib
import re
import secrets
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_device import Device
from browser import expect, visitors
from decks_wire import PASSWORD, Person, card, field_of, forget_rates
from installation import admin
from promises import keep
from rest_wire import ask

# What a browser would run if it were markup, and signs that turn or hide what stands beside them.
SCRIPT = "<script>window.executed = 1</script>"
IMAGE = '<img src="x" onerror="window.executed = 1">'
LINK = '<a href="javascript:window.executed = 1">a link</a>'
TURNED = "\u202egnp.exe"
MARKED = "U+202Egnp.exe"


@functools.cache
def owner():
    """Of nearly all decks here: making an account takes longer than what is done with it."""
    admin("plan", "set", "webtest", "--max-decks", "100")
    return Person(plan="webtest")


@functools.cache
def writer(number=1):
    """Contributors, of whom each test takes as many as it needs."""
    return Person(name=f"writer{number}-{secrets.token_hex(4)}")


def arrive(visitor, person, path, **options):
    answer = ask("POST", "/api/auth/login/", {"email": person.name, "password": PASSWORD}).json
    anna = visitor(**options)
    anna.arrive(path, types.SimpleNamespace(user=answer["user"], access=answer["access"], refresh=answer["refresh"]))
    return anna


def deck_with(person, *cards, **more):
    """(id, title): of one version."""
    title = more.pop("title", f"Rivers {secrets.token_hex(4)}")
    deck = person.deck(title, **more)
    person.push(deck, list(cards) or [card("g1", {"Front": "Volga", "Back": "the longest river of Europe"})], version_notes="the first cards")
    return deck, title


def suggest(person, deck, value, guid="g1", field="Back", **more):
    return person.call("submit-suggestion", {"deck_id": deck, "card_guid": guid, "field_name": field, "suggested_value": value, **more})["suggestion_id"]


def back_of(person, deck, guid="g1"):
    forget_rates()
    return field_of(person.download(deck), guid, "Back")


def states(person, deck):
    """By state, how many suggestions."""
    forget_rates()
    return {state: person.call("list-suggestions", {"deck_id": deck, "status": state})["total"] for state in ("pending", "accepted", "rejected")}


def item(anna, text):
    """The suggestion, or the version, in which a text stands."""
    return anna.page.get_by_role("main").locator(".suggestion").filter(has_text=text)


def row(anna, text):
    return anna.page.get_by_role("main").get_by_role("listitem").filter(has_text=text)


def said(anna, text):
    return anna.page.get_by_role("status").filter(has_text=text)


def review_page(visitor, person, deck, **options):
    return arrive(visitor, person, f"/decks/deck?id={deck}&view=suggestions", **options)


def a_deck_is_found_followed_and_left():
    person = owner()
    deck, title = deck_with(person, description="Where the water goes")
    other, _ = deck_with(person, title=f"Lakes of {title}", is_public=False)
    with visitors() as visitor:
        boris = arrive(visitor, Person(), "/decks/", locale="ru-RU", size="narrow", scheme="dark")
        boris.page.get_by_label("Название, описание, метка или автор").fill(title)
        boris.page.keyboard.press("Enter")
        expect(said(boris, "1 колода")).to_be_visible()
        assert "search=" in boris.page.url, boris.page.url
        found = row(boris, title)
        expect(found).to_contain_text("Where the water goes")
        expect(found).to_contain_text("1 карточка · 0 подписчиков")
        boris.look("decks-found")
        found.get_by_role("button", name=f"Подписаться: {title}").click()
        expect(found.get_by_text("вы подписаны")).to_be_focused()
        boris.page.get_by_label("Категория").select_option("Рекомендованные")
        expect(boris.page.get_by_role("main")).to_contain_text("Ничего не найдено")
        boris.page.go_back()
        expect(row(boris, title)).to_contain_text("вы подписаны")
        boris.page.get_by_role("link", name="Мои подписки").click()
        expect(row(boris, title)).to_contain_text("Ещё не загружена")
        boris.page.get_by_text("Что нового").click()
        expect(row(boris, title).first).to_contain_text("the first cards")
        boris.look("decks-followed")
        boris.open("/")
        expect(boris.page.get_by_role("region", name="Общие колоды").first).to_contain_text(title)
        boris.open("/decks/?view=followed")
        boris.page.get_by_role("button", name=f"Отписаться: {title}").click()
        dialog = boris.page.get_by_role("dialog")
        dialog.get_by_role("button", name="Отмена").click()
        expect(row(boris, title)).to_have_count(1)
        boris.page.get_by_role("button", name=f"Отписаться: {title}").click()
        dialog.get_by_role("button", name="Отписаться").click()
        expect(boris.page.get_by_role("main")).to_contain_text("Вы ещё ни на что не подписаны")
        # A hidden deck is nobody's but its owner's.
        boris.open(f"/decks/deck?id={other}")
        expect(boris.page.get_by_role("alert").filter(has_text="Эта колода закрыта")).to_be_visible()


def an_update_is_told_with_the_version_that_the_reader_has():
    person, reader = owner(), writer()
    deck, title = deck_with(person)
    reader.download(deck)
    person.push(deck, [card("g2")], version_notes="one more river")
    with visitors() as visitor:
        boris = arrive(visitor, reader, "/decks/?view=followed")
        expect(row(boris, title)).to_contain_text("new: 1.0.2")
        expect(row(boris, title)).to_contain_text("You have version 1.0.1.")
        boris.page.get_by_text("What is new").click()
        news = row(boris, "one more river").last
        expect(news).to_contain_text("1 added · 2 cards")
        expect(boris.page.get_by_role("main")).not_to_contain_text("the first cards")
        # Looking at it is not having it.
        boris.page.get_by_role("link", name=title).click()
        expect(boris.page.get_by_role("main")).to_contain_text("You have version 1.0.1.")


def an_owner_makes_hides_and_deletes_a_deck():
    person, reader = Person(plan="premium"), writer()
    title = f"Hills {secrets.token_hex(4)}"
    with visitors() as visitor:
        anna = arrive(visitor, person, "/decks/?view=own")
        anna.page.get_by_role("button", name="New deck").click()
        dialog = anna.page.get_by_role("dialog")
        expect(dialog.get_by_label("Title")).to_be_focused()
        anna.page.keyboard.type("Hills::of")
        dialog.get_by_label("Description").fill("High\nand low")
        anna.look("decks-new")
        dialog.get_by_role("button", name="Create the deck").click()
        expect(dialog.get_by_label("Title")).to_be_focused()
        expect(dialog.get_by_text("A title has no control characters and no ::")).to_be_visible()
        # What was typed is there still, also where nothing answers.
        anna.expects("Failed to load resource: net::")
        anna.page.route("**/addon-create-deck", lambda route: route.abort(), times=1)
        dialog.get_by_label("Title").fill(title)
        dialog.get_by_role("button", name="Create the deck").click()
        expect(dialog.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
        expect(dialog.get_by_label("Title")).to_have_value(title)
        expect(dialog.get_by_label("Description")).to_have_value("High\nand low")
        dialog.get_by_role("button", name="Create the deck").click()
        expect(row(anna, title)).to_contain_text("public")
        deck = next(one for one in person.call("get-my-decks")["decks"] if one["title"] == title)
        assert deck["is_public"] is True and deck["description"] == "High\nand low", deck
        person.push(deck["id"], [card("g1")])
        reader.download(deck["id"])
        suggest(reader, deck["id"], "higher")
        anna.open("/decks/?view=own")
        expect(row(anna, title)).to_contain_text("1 card · 1 follower · 1 open suggestion")
        anna.look("decks-own")
        anna.page.get_by_role("button", name=f"Make {title} private").click()
        expect(row(anna, title)).to_contain_text("private")
        assert person.call("get-my-decks")["decks"][0]["is_public"] is False
        anna.page.get_by_role("link", name=title).click()
        anna.page.get_by_role("button", name="Edit").click()
        dialog.get_by_label("Description").fill("")
        dialog.get_by_role("button", name="Save").click()
        expect(said(anna, "The deck was changed")).to_be_visible()
        assert person.call("get-my-decks")["decks"][0]["description"] == ""
        anna.page.get_by_role("button", name="Delete").click()
        expect(dialog).to_contain_text("1 card with their history")
        expect(dialog).to_contain_text("1 follower")
        dialog.get_by_role("button", name="Cancel").click()
        assert len(person.call("get-my-decks")["decks"]) == 1
        anna.page.get_by_role("button", name="Delete").click()
        dialog.get_by_role("button", name="Delete").click()
        expect(anna.page.get_by_role("main")).to_contain_text("You have no deck yet")
        assert person.call("get-my-decks")["decks"] == []
        # Whose plan has none is told so.
        boris = arrive(visitor, reader, "/decks/?view=own")
        expect(boris.page.get_by_role("main")).to_contain_text("Your plan does not include decks of your own")
        expect(boris.page.get_by_role("button", name="New deck")).to_have_count(0)


def what_people_wrote_is_text_on_every_page():
    person, victim = owner(), Person()
    mark = secrets.token_hex(4)
    title = f"{mark} {IMAGE} {TURNED}"
    admin("plan", "name", victim.name, f"{SCRIPT} {TURNED}")
    field = f"{LINK} {TURNED}"
    deck, _ = deck_with(person, card("g1", {"Front": SCRIPT, field: f"{IMAGE} old {TURNED}"}), title=title, description=f"{SCRIPT} {LINK} {TURNED}")
    person.push(deck, [card("g2", {"Front": "x", field: "y"})], version_notes=f"{IMAGE} {TURNED}")
    victim.download(deck)
    gone = suggest(victim, deck, f"{LINK} {IMAGE} other {TURNED}", "g2", field, reason=f"{SCRIPT} {LINK} {TURNED}")
    suggest(victim, deck, f"{IMAGE} new {SCRIPT} \u2066{LINK}", "g1", field, reason=f"{SCRIPT} {LINK} {TURNED}")
    person.make_maintainer(deck, victim)
    other, _ = deck_with(person, title=title)
    person.call("manage-members", {"deck_id": other, "action": "add", "user": victim.name})
    person.call("review-suggestion", {"suggestion_id": gone, "action": "reject", "note": f"{IMAGE} {SCRIPT} {TURNED}"})
    pages = {
        f"/decks/?search={mark}": (IMAGE, SCRIPT, LINK, MARKED),
        "/decks/?view=followed": (IMAGE, MARKED),
        "/decks/?view=suggestions": (IMAGE, SCRIPT, LINK, MARKED, "U+2066"),
        f"/decks/deck?id={deck}": (IMAGE, SCRIPT, LINK, MARKED),
        f"/decks/deck?id={deck}&view=suggestions": (IMAGE, SCRIPT, LINK, MARKED, "U+2066"),
        f"/decks/deck?id={deck}&view=members": (SCRIPT, MARKED),
        f"/decks/card?deck={deck}&guid=g1": (IMAGE, SCRIPT, LINK, MARKED),
        "/": (IMAGE, MARKED),
    }
    with visitors() as visitor:
        anna = arrive(visitor, victim, "/docs")

        def is_text(parts):
            main = anna.page.get_by_role("main")
            for part in parts:
                expect(main).to_contain_text(part)
            assert anna.page.evaluate("window.executed") is None
            assert anna.page.locator("main :is(img, script), [onerror], a[href^=javascript]").count() == 0
            shown = anna.page.evaluate("document.body.innerText + document.title + [...document.querySelectorAll('[aria-label]')].map((one) => one.ariaLabel)")
            assert not re.search("[\u202a-\u202e\u2066-\u2069]", shown), shown

        for path, parts in pages.items():
            anna.open(path)
            is_text(parts)
        # Dialogs, with the title and with the value that is edited.
        anna.open("/decks/?view=followed")
        anna.page.get_by_role("button", name="Unsubscribe").click()
        expect(anna.page.get_by_role("dialog")).to_contain_text(f"{IMAGE} [{MARKED[:6]}]gnp.exe")
        is_text(())
        anna.open(f"/decks/deck?id={deck}&view=suggestions")
        anna.look("decks-hostile")
        anna.page.get_by_role("button", name="Edit and accept").click()
        # The text as it is: what is sent is what was suggested.
        expect(anna.page.get_by_role("dialog").get_by_role("textbox").first).to_have_value(f"{IMAGE} new {SCRIPT} \u2066{LINK}")
        expect(anna.page.get_by_role("dialog").get_by_label(f"Value of {LINK} [U+202E]gnp.exe")).to_have_count(1)
        is_text(())
        anna.page.get_by_role("dialog").get_by_role("button", name="Accept").click()
        expect(said(anna, "Accepted")).to_be_visible()
        is_text(())
    forget_rates()
    assert field_of(person.download(deck), "g1", field) == f"{IMAGE} new {SCRIPT} \u2066{LINK}"


def an_editor_sees_what_differs_and_accepts_edits_or_rejects():
    person, writers = owner(), [writer(number) for number in (1, 2, 3)]
    deck, title = deck_with(person, *[card(f"g{number}", {"Front": f"f{number}", "Back": "the longest river of <b>Europe</b>"}) for number in (1, 2, 3)])
    for number, one in enumerate(writers, 1):
        suggest(one, deck, f"the longest, {number}th river of <b>all Europe</b>", f"g{number}", reason=f"because {number}")
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        expect(anna.page.get_by_role("link", name="Suggestions 3")).to_have_attribute("aria-current", "page")
        first = item(anna, "because 1")
        expect(first.get_by_role("heading")).to_have_text(f"Back, suggested by {writers[0].name}")
        proposed = first.get_by_role("group", name="Proposed")
        expect(proposed).to_have_text("the longest, 1th river of <b>all Europe</b>")
        expect(proposed.get_by_role("insertion")).to_have_text([",", "1th ", "all "])
        expect(first.get_by_role("group", name="Old value")).to_have_text("the longest river of <b>Europe</b>")
        expect(first.get_by_role("group", name="Old value").get_by_role("deletion")).to_have_count(0)
        expect(first.get_by_role("group", name="Present value")).to_have_text("the longest river of <b>Europe</b>")
        anna.look("decks-review")
        first.get_by_role("button", name="Accept", exact=True).click()
        expect(said(anna, "Accepted; the deck is at version 1.0.2.")).to_be_visible()
        expect(first).to_have_count(0)
        assert back_of(person, deck) == "the longest, 1th river of <b>all Europe</b>"
        item(anna, "because 2").get_by_role("button", name="Edit and accept").click()
        dialog = anna.page.get_by_role("dialog")
        expect(dialog.get_by_label("Value of Back")).to_have_value("the longest, 2th river of <b>all Europe</b>")
        dialog.get_by_label("Value of Back").fill("the second river")
        dialog.get_by_label("Note for the contributor").fill("shorter")
        anna.look("decks-edit")
        dialog.get_by_role("button", name="Accept").click()
        expect(said(anna, "version 1.0.3")).to_be_visible()
        assert back_of(person, deck, "g2") == "the second river"
        item(anna, "because 3").get_by_role("button", name="Reject").click()
        dialog.get_by_label("Note for the contributor").fill("There is\nno third one")
        dialog.get_by_role("button", name="Reject").click()
        expect(anna.page.get_by_role("main")).to_contain_text("Nothing waits for you")
        assert back_of(person, deck, "g3") == "the longest river of <b>Europe</b>"
        assert states(person, deck) == {"pending": 0, "accepted": 2, "rejected": 1}
        anna.page.get_by_label("State").select_option("rejected")
        expect(item(anna, "because 3")).to_contain_text("Answer: There is no third one")
        expect(item(anna, "because 3").get_by_role("button")).to_have_count(0)
        # Contributors are told.
        boris = arrive(visitor, writers[2], "/decks/?view=suggestions", size="narrow", locale="ru-RU")
        expect(item(boris, title)).to_contain_text("отклонено")
        expect(item(boris, title)).to_contain_text("Ответ соавторов: There is no third one")
        expect(item(boris, title).get_by_role("button", name="Отозвать")).to_have_count(0)


def a_contributor_takes_a_suggestion_back():
    person, someone = owner(), writer()
    deck, title = deck_with(person)
    suggest(someone, deck, "wrong")
    with visitors() as visitor:
        boris = arrive(visitor, someone, "/decks/?view=suggestions")
        expect(item(boris, title)).to_contain_text("open")
        boris.look("decks-own-suggestions")
        item(boris, title).get_by_role("button", name="Withdraw").click()
        expect(item(boris, title)).to_contain_text("withdrawn")
        expect(item(boris, title).get_by_role("button", name="Withdraw")).to_have_count(0)
        # Who may not decide is offered nothing of it.
        boris.open(f"/decks/deck?id={deck}&view=suggestions")
        expect(boris.page.get_by_role("heading", name=title)).to_be_visible()
        expect(boris.page.get_by_role("link", name="Suggestions")).to_have_count(0)
        expect(boris.page.get_by_role("button", name=re.compile("Go back|Edit|Delete"))).to_have_count(0)
    assert states(person, deck)["pending"] == 0


def a_stale_suggestion_shows_three_values_and_needs_a_second_yes():
    person, someone = owner(), writer()
    deck, _ = deck_with(person)
    suggest(someone, deck, "the longest stream of Europe")
    person.push(deck, [card("g1", {"Front": "Volga", "Back": "a river of Russia"})])
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        only = anna.page.locator(".suggestion")
        expect(only).to_contain_text("outdated")
        for name, text in (("Old value", "the longest river of Europe"), ("Proposed", "the longest stream of Europe"), ("Present value", "a river of Russia")):
            expect(only.get_by_role("group", name=name)).to_have_text(text)
        expect(only.get_by_role("group", name="Present value").get_by_role("insertion").last).to_have_text("Russia")
        anna.look("decks-stale")
        only.get_by_role("button", name="Accept anyway").click()
        dialog = anna.page.get_by_role("dialog")
        dialog.get_by_role("button", name="Cancel").click()
        assert back_of(person, deck) == "a river of Russia"
        # Together with others it is left.
        only.get_by_label("Choose").check()
        anna.page.get_by_role("button", name="Accept the chosen ones").click()
        expect(anna.page.get_by_role("alert").filter(has_text="The card has changed meanwhile")).to_be_visible()
        assert back_of(person, deck) == "a river of Russia"
        only.get_by_role("button", name="Accept anyway").click()
        dialog.get_by_role("button", name="Accept anyway").click()
        expect(said(anna, "Accepted")).to_be_visible()
        assert back_of(person, deck) == "the longest stream of Europe"


def several_are_decided_at_once():
    person, someone = owner(), writer()
    deck, _ = deck_with(person, *[card(f"g{number}") for number in range(6)])
    for number in range(6):
        suggest(someone, deck, f"better {number}", f"g{number}", reason=f"because {number}")
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        together = anna.page.get_by_role("button", name="Accept the chosen ones")
        expect(together).to_be_disabled()
        for number in (0, 1, 2):
            item(anna, f"because {number}").get_by_label("Choose").check()
        expect(said(anna, "3 chosen")).to_be_visible()
        person.push(deck, [card("g2", {"Front": "f", "Back": "another"})])
        together.click()
        expect(said(anna, "2 accepted")).to_be_visible()
        expect(said(anna, "1 was left: its card has changed")).to_be_visible()
        expect(item(anna, "because 2")).to_contain_text("outdated")
        assert [back_of(person, deck, f"g{number}") for number in (0, 1, 2, 3)] == ["better 0", "better 1", "another", "back of g3"]
        anna.page.get_by_label("All on this page").check()
        expect(said(anna, "4 chosen")).to_be_visible()
        item(anna, "because 5").get_by_label("Choose").uncheck()
        expect(anna.page.get_by_label("All on this page")).not_to_be_checked()
        anna.page.get_by_role("button", name="Reject the chosen ones").click()
        dialog = anna.page.get_by_role("dialog", name="Reject 3 suggestions?")
        dialog.get_by_role("button", name="Reject").click()
        expect(said(anna, "3 rejected")).to_be_visible()
        expect(anna.page.locator(".suggestion")).to_have_count(1)
    assert states(person, deck) == {"pending": 1, "accepted": 2, "rejected": 3}


def two_editors_decide_once():
    person, second, someone = owner(), writer(2), writer()
    deck, _ = deck_with(person, card("g1"), card("g2"))
    person.make_maintainer(deck, second)
    suggest(someone, deck, "better 1", "g1", reason="because 1")
    suggest(someone, deck, "better 2", "g2", reason="because 2")
    with visitors() as visitor:
        anna, boris = review_page(visitor, person, deck), review_page(visitor, second, deck)
        item(boris, "because 1").get_by_role("button", name="Edit and accept").click()
        dialog = boris.page.get_by_role("dialog")
        dialog.get_by_label("Value of Back").fill("much better")
        dialog.get_by_label("Note for the contributor").fill("I have changed it")
        item(anna, "because 1").get_by_role("button", name="Accept", exact=True).click()
        expect(item(anna, "because 1")).to_have_count(0)
        dialog.get_by_role("button", name="Accept").click()
        expect(dialog.get_by_role("alert").filter(has_text="Somebody else has decided this")).to_be_visible()
        # It can still be copied.
        expect(dialog.get_by_label("Value of Back")).to_have_value("much better")
        expect(dialog.get_by_label("Note for the contributor")).to_have_value("I have changed it")
        dialog.get_by_role("button", name="Cancel").click()
        expect(item(boris, "because 1")).to_have_count(0)
        assert back_of(person, deck) == "better 1"
        # The other way round, without a dialog.
        item(boris, "because 2").get_by_role("button", name="Reject").click()
        boris.page.get_by_role("dialog").get_by_role("button", name="Reject").click()
        expect(said(boris, "Rejected")).to_be_visible()
        item(anna, "because 2").get_by_role("button", name="Accept", exact=True).click()
        expect(anna.page.get_by_role("alert").filter(has_text="Somebody else has decided this")).to_be_visible()
        expect(anna.page.get_by_role("main")).to_contain_text("Nothing waits for you")
    assert states(person, deck) == {"pending": 0, "accepted": 1, "rejected": 1} and back_of(person, deck, "g2") == "back of g2"


def what_was_typed_survives_an_error_and_the_end_of_the_session():
    person, someone = owner(), writer()
    deck, _ = deck_with(person)
    suggest(someone, deck, "better")
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        anna.expects("Failed to load resource: net::|503 of")
        anna.expects("status of 503")
        anna.page.get_by_role("button", name="Reject", exact=True).click()
        dialog = anna.page.get_by_role("dialog").first
        note = dialog.get_by_label("Note for the contributor")
        note.fill("a long explanation")
        anna.page.route("**/addon-review-suggestion", lambda route: route.abort(), times=1)
        dialog.get_by_role("button", name="Reject").click()
        expect(dialog.get_by_role("alert").filter(has_text="The server cannot be reached")).to_be_visible()
        anna.page.route("**/addon-review-suggestion", lambda route: route.fulfill(
            status=503, content_type="application/json", body='{"success": false, "code": "DATABASE_UNAVAILABLE", "message": "x", "error": "x"}'), times=1)
        dialog.get_by_role("button", name="Reject").click()
        expect(dialog.get_by_role("alert").filter(has_text="The server is starting or busy")).to_be_visible()
        expect(note).to_have_value("a long explanation")
        kept = anna.stored()["state"]
        assert ask("POST", "/auth/logout", {}, kept["accessToken"]).status < 300
        dialog.get_by_role("button", name="Reject").click()
        again = anna.page.get_by_role("dialog", name="Your session has ended")
        again.get_by_label("E-mail address or name").fill(person.name)
        again.get_by_label("Password", exact=True).fill(PASSWORD)
        again.get_by_role("button", name="Sign in").click()
        expect(said(anna, "Rejected")).to_be_visible()
    assert someone.call("my-suggestions")["suggestions"][0]["note"] == "a long explanation"


def an_editor_goes_back_to_a_version():
    person, reader = owner(), writer()
    deck, title = deck_with(person)
    person.push(deck, [card("g1", {"Front": "Volga", "Back": "spoilt"}), card("g2")], version="1.1.0", version_notes="A mistake,\nalas")
    with visitors() as visitor:
        anna = arrive(visitor, person, f"/decks/deck?id={deck}")
        expect(anna.page).to_have_title(f"{title} - Shared decks - Syncline")
        expect(row(anna, "alas")).to_contain_text("1 added · 1 changed · 2 cards")
        expect(row(anna, "alas").get_by_role("button")).to_have_count(0)
        anna.look("decks-versions")
        anna.page.get_by_role("button", name="Go back to version 1.0.1").click()
        dialog = anna.page.get_by_role("dialog", name="Go back to version 1.0.1?")
        dialog.get_by_role("button", name="Cancel").click()
        assert back_of(person, deck) == "spoilt"
        anna.page.get_by_role("button", name="Go back to version 1.0.1").click()
        dialog.get_by_role("button", name="Go back to it").click()
        expect(said(anna, "this is version 1.1.1")).to_be_visible()
        expect(row(anna, "newest")).to_contain_text("1.1.1")
        assert back_of(person, deck) == "the longest river of Europe"
        boris = arrive(visitor, reader, f"/decks/deck?id={deck}")
        expect(row(boris, "alas")).to_have_count(1)
        expect(boris.page.get_by_role("button", name=re.compile("Go back"))).to_have_count(0)
        boris.page.get_by_role("button", name="Follow").click()
        expect(boris.page.get_by_role("link", name="you follow it")).to_be_visible()
        boris.open("/decks/deck?id=nothing")
        expect(boris.page.get_by_role("alert").filter(has_text="This address names no deck")).to_be_visible()


def an_owner_asks_maintainers():
    person, helper = owner(), writer(2)
    # An address is shown to nobody: the list has another name than the one that was typed.
    second = Person(name=f"{secrets.token_hex(4)}@example.com")
    deck, title = deck_with(person, is_public=False)
    with visitors() as visitor:
        anna = arrive(visitor, person, f"/decks/deck?id={deck}&view=members")
        expect(anna.page.get_by_role("main")).to_contain_text("Only the owner may change this deck")
        dialog = anna.page.get_by_role("dialog")

        def ask_for(name):
            anna.page.get_by_role("button", name="Ask somebody").click()
            field = dialog.get_by_label("Name or e-mail address")
            field.fill(name)
            field.press("Enter")
            expect(anna.page.get_by_text(f"If {name} has an account here")).to_be_visible()

        for name in ("nobody at all", helper.name, second.name):
            ask_for(name)
        anna.open(f"/decks/deck?id={deck}&view=members")
        expect(anna.page.get_by_role("main")).to_contain_text("Only the owner may change this deck")
        boris = arrive(visitor, helper, "/decks/?view=own")
        invitations = boris.page.get_by_role("region", name="Invitations")
        expect(invitations.get_by_role("listitem").filter(has_text=title)).to_contain_text(person.name)
        boris.look("decks-invitations")
        invitations.get_by_role("button", name=f"Accept: {title}").click()
        expect(boris.page.get_by_role("heading", name=title)).to_be_visible()
        boris.open(f"/decks/deck?id={deck}&view=members")
        expect(boris.page.get_by_role("button", name=re.compile("Ask|Take|Remove|Delete"))).to_have_count(0)
        boris.open("/decks/")
        expect(boris.page.get_by_role("region", name="Find decks")).to_be_visible()
        expect(invitations).to_have_count(0)
        second.call("manage-members", {"deck_id": deck, "action": "accept"})
        anna.open(f"/decks/deck?id={deck}&view=members")
        expect(row(anna, helper.name)).to_have_count(1)
        expect(row(anna, "Publisher")).to_have_count(1)
        anna.look("decks-members")
        anna.page.get_by_role("button", name="Remove Publisher").click()
        dialog.get_by_role("button", name="Remove").click()
        expect(row(anna, "Publisher")).to_have_count(0)
        boris.open(f"/decks/deck?id={deck}&view=members")
        boris.page.get_by_role("button", name="Give up").click()
        boris.page.get_by_role("dialog").get_by_role("button", name="Give up").click()
        expect(boris.page.get_by_role("heading", name="Shared decks")).to_be_visible()
    assert person.call("manage-members", {"deck_id": deck})["maintainers"] == []


def an_invitation_is_declined_or_taken_back():
    person, helper = owner(), Person()
    deck, title = deck_with(person)
    other, other_title = deck_with(person)
    for one in (deck, other):
        person.call("manage-members", {"deck_id": one, "action": "add", "user": helper.name})
    with visitors() as visitor:
        anna = arrive(visitor, person, f"/decks/deck?id={other}&view=members")
        boris = arrive(visitor, helper, "/decks/")
        items = boris.page.get_by_role("region", name="Invitations").get_by_role("listitem")
        expect(items).to_have_count(2)
        anna.page.get_by_role("button", name="Take an invitation back").click()
        dialog = anna.page.get_by_role("dialog")
        dialog.get_by_label("Name or e-mail address").fill(helper.name)
        dialog.get_by_role("button", name="Take it back").click()
        expect(anna.page.get_by_text(f"There is no invitation to {helper.name} any more")).to_be_visible()
        # It was there when the page was opened.
        boris.page.get_by_role("button", name=f"Accept: {other_title}").click()
        expect(items).to_have_count(1)
        assert "deck?" not in boris.page.url, boris.page.url
        boris.page.get_by_role("button", name=f"Decline: {title}").click()
        expect(boris.page.get_by_text(f"You have declined to become a maintainer of {title}")).to_be_visible()
        expect(items).to_have_count(0)
    assert [person.call("manage-members", {"deck_id": one})["maintainers"] for one in (deck, other)] == [[], []]


def the_history_of_a_card_shows_each_change_and_leads_back():
    person, someone = owner(), writer()
    deck, title = deck_with(person)
    someone.download(deck)
    taken = suggest(someone, deck, "the longest stream of Europe")
    person.call("review-suggestion", {"suggestion_id": taken, "action": "accept"})
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        anna.page.get_by_label("State").select_option("accepted")
        anna.page.get_by_role("link", name="History of the card").click()
        newest = item(anna, "Version 1.0.2")
        expect(newest).to_contain_text(f"{someone.name} · by a suggestion")
        expect(newest.get_by_role("heading", level=4)).to_have_text(["Back"])
        expect(newest.get_by_role("group", name="Before").get_by_role("deletion")).to_have_text("river")
        expect(newest.get_by_role("group", name="After").get_by_role("insertion")).to_have_text("stream")
        oldest = item(anna, "Version 1.0.1")
        expect(oldest.get_by_role("group", name="After")).to_have_text(["Volga", "the longest river of Europe"])
        expect(newest.get_by_role("button")).to_have_count(0)
        anna.look("decks-card")
        oldest.get_by_role("button", name="Go back to version 1.0.1").click()
        anna.page.get_by_role("dialog").get_by_role("button", name="Go back to it").click()
        expect(item(anna, "Version 1.0.3")).to_contain_text("by going back")
        assert back_of(person, deck) == "the longest river of Europe"
        person.push(deck, [], deleted_guids=["g1"])
        anna.open(f"/decks/deck?id={deck}")
        anna.page.get_by_text("History of a card").click()
        anna.page.get_by_label("Id of the card (guid)").fill("g1")
        anna.page.keyboard.press("Enter")
        expect(item(anna, "Version 1.0.4")).to_contain_text("The card was removed.")
        boris = arrive(visitor, someone, f"/decks/card?deck={deck}&guid=g1")
        expect(boris.page.locator(".suggestion")).to_have_count(4)
        expect(boris.page.get_by_role("button", name=re.compile("Go back"))).to_have_count(0)
        boris.open(f"/decks/card?deck={deck}&guid=none")
        expect(boris.page.get_by_role("alert").filter(has_text="The deck has no such card")).to_be_visible()


def a_followed_deck_is_brought_into_the_readers_own_anki():
    person, someone = owner(), Person()
    deck, title = deck_with(person)
    with visitors() as visitor:
        anna = arrive(visitor, someone, f"/decks/deck?id={deck}")
        expect(anna.page.get_by_role("region", name="In your Anki")).to_have_count(0)
        anna.page.get_by_role("button", name="Follow").click()
        part = anna.page.get_by_role("region", name="In your Anki")
        dialog = anna.page.get_by_role("dialog")
        part.get_by_role("button", name="Bring it into my Anki").click()
        dialog.get_by_label("Delete notes that the deck removes").check()
        dialog.get_by_role("button", name="Bring it into my Anki").click()
        expect(said(anna, "The deck is on its way")).to_be_visible()
        expect(part.get_by_role("status")).to_contain_text("You have no Anki collection here yet", timeout=60_000)
        with tempfile.TemporaryDirectory() as directory:
            device = Device(pathlib.Path(directory), "desktop", os.environ["SYNCLINE_HTTP"] + "/")
            device.log_in(someone.name, PASSWORD)
            device.sync()
            device.upload()
            device.close()
        part.get_by_role("button", name="Change").click()
        dialog.get_by_role("button", name="Save").click()
        expect(part.get_by_role("status")).to_contain_text("1 note in your collection", timeout=60_000)
        expect(part).to_contain_text("Notes that the deck removes are deleted.")
        anna.look("decks-delivery")
        part.get_by_role("button", name="Change").click()
        dialog.get_by_label("Delete notes that the deck removes").uncheck()
        dialog.get_by_role("button", name="Save").click()
        expect(part).to_contain_text("suspended and tagged")
        part.get_by_role("button", name="Suggest my edits").click()
        expect(said(anna, "There was nothing to suggest")).to_be_visible()
        part.get_by_role("button", name="Stop").click()
        dialog.get_by_role("button", name="Cancel").click()
        assert someone.call("manage-delivery", {"deck_id": deck})["delivered"] is True
        part.get_by_role("button", name="Stop").click()
        dialog.get_by_role("button", name="Remove the notes").click()
        expect(said(anna, "no longer comes into your Anki")).to_be_visible()
        expect(part.get_by_role("button", name="Bring it into my Anki")).to_be_visible(timeout=60_000)
        boris = arrive(visitor, person, f"/decks/deck?id={deck}", locale="ru-RU")
        expect(boris.page.get_by_role("heading", name="Версии")).to_be_visible()
        expect(boris.page.get_by_role("region", name="В вашем Anki")).to_have_count(0)


def suggestions_are_decided_by_keyboard_and_not_two_by_one_key():
    person, someone = owner(), writer()
    deck, _ = deck_with(person, card("g1"), card("g2"))
    suggest(someone, deck, "better 1", "g1", reason="because 1")
    suggest(someone, deck, "better 2", "g2", reason="because 2")
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        anna.page.get_by_label("State").focus()
        names = []
        for _ in range(4):
            anna.page.keyboard.press("Tab")
            names.append(anna.page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.closest('label')?.innerText ?? document.activeElement.innerText").strip())
        assert names == ["All on this page", "Choose", "Accept", "Edit and accept"], names
        anna.page.keyboard.press("Shift+Tab")
        described = anna.page.get_by_role("button", name="Accept", exact=True).first
        expect(described).to_be_focused()
        expect(described).to_have_accessible_description(f"Back, suggested by {someone.name}")
        # The key is held down.
        anna.page.keyboard.press("Enter")
        expect(anna.page.locator(".suggestion")).to_have_count(1)
        assert anna.page.evaluate("document.activeElement.matches('[tabindex=\"-1\"]:has(.suggestion)')")
        anna.page.keyboard.press("Enter")
        anna.page.keyboard.press("Space")
        anna.wait()
        assert states(person, deck) == {"pending": 1, "accepted": 1, "rejected": 0}
        # From where the reader was, the next one is near.
        anna.page.keyboard.press("Tab")
        expect(anna.page.get_by_label("All on this page")).to_be_focused()


def long_texts_are_compared_too_and_can_be_scrolled_by_keyboard():
    person, someone = owner(), writer()
    before, after = (" ".join(f"{word}{number}" for number in range(9000)) for word in "ab")
    deck, _ = deck_with(person, card("g1", {"Front": "f", "Back": before}), card("g2", {"Front": "f", "Back": f"{before} end"}))
    suggest(someone, deck, after, reason="because 1")
    suggest(someone, deck, before.replace("a4500 ", "") + " end", "g2", reason="because 2")
    with visitors() as visitor:
        anna = review_page(visitor, person, deck)
        # Too different for words.
        expect(item(anna, "because 1").get_by_role("insertion")).to_have_text(after)
        old = item(anna, "because 2").get_by_role("group", name="Old value")
        expect(old.get_by_role("deletion")).to_have_text("a4500 ")
        expect(old).to_have_attribute("tabindex", "0")
        old.focus()
        anna.page.keyboard.press("End")
        anna.page.wait_for_function("document.activeElement.scrollTop > 100")


if __name__ == "__main__":
    sys.exit(keep(a_deck_is_found_followed_and_left, an_update_is_told_with_the_version_that_the_reader_has, an_owner_makes_hides_and_deletes_a_deck,
                  what_people_wrote_is_text_on_every_page, an_editor_sees_what_differs_and_accepts_edits_or_rejects, a_contributor_takes_a_suggestion_back,
                  a_stale_suggestion_shows_three_values_and_needs_a_second_yes, several_are_decided_at_once, two_editors_decide_once,
                  what_was_typed_survives_an_error_and_the_end_of_the_session, an_editor_goes_back_to_a_version,
                  a_followed_deck_is_brought_into_the_readers_own_anki, an_owner_asks_maintainers, an_invitation_is_declined_or_taken_back,
                  the_history_of_a_card_shows_each_change_and_leads_back, suggestions_are_decided_by_keyboard_and_not_two_by_one_key,
                  long_texts_are_compared_too_and_can_be_scrolled_by_keyboard))
