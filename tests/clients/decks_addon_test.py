"""The AnkiPH add-on itself, on real collections of Anki: each of its screens, in each of its builds, with and without `requests`.

SYNCLINE_ADDON_DIR names checkouts of the add-on (github.com/elmoadorjr/AnkiPH), of one or several builds, with colons between;
without it the test is skipped, because its licence does not allow to keep it here. SYNCLINE_HTTP and SYNCLINE_ADMIN locate the server
(`<dir>/env` of ./run). A call that meets an answer which the add-on cannot use fails the test; what cannot work in a build whatever
a server answers (OWN_FAULTS) is told.
"""

import base64
import collections
import contextlib
import hashlib
import importlib
import inspect
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from promises import Skip, keep  # noqa: E402

ADDONS = [folder for folder in os.environ.get("SYNCLINE_ADDON_DIR", "").split(os.pathsep) if folder]
CARDS = 2500
ODD = "k{2Z!q)*:_#;"
PICTURE = b"\x89PNG of a kind"
# Of builds: a method is called with arguments that it does not have, or Anki's collection is.
OWN_FAULTS = ("unexpected keyword argument", "'Collection' object has no attribute 'save'", "missing 1 required positional argument",
              "dictionary changed size during iteration")


def defines(dialog, name):
    """Whether its class has this method: a stub has all."""
    return name in vars(dialog if isinstance(dialog, type) else type(dialog))


class Play:
    """One build on one collection. Each step is a screen; its troubles must be those that are expected of it."""

    def __init__(self, folder, with_requests, place):
        from decks_wire import Person  # pylint: disable=import-outside-toplevel
        import addon_stub  # pylint: disable=import-outside-toplevel
        from anki.collection import Collection  # pylint: disable=import-outside-toplevel
        self.stub, self.place, self.make_collection = addon_stub, pathlib.Path(place), Collection
        self.col = Collection(str(self.place / "collection.anki2"))
        self.addon = addon_stub.install(folder, self.col, os.environ["SYNCLINE_HTTP"] + "/functions/v1", with_requests)
        self.client, self.config = self.module("api_client"), self.module("config").config
        self.api = self.client.api
        self.publisher, self.person = Person(plan="premium", is_admin=True), Person()
        self.own_faults, self.deck = [], None

    def module(self, name):
        """None: this build has none of that name."""
        try:
            return importlib.import_module(f"addon.{name}")
        except ModuleNotFoundError as error:
            if not str(error.name).startswith("addon"):
                raise
            return None

    @contextlib.contextmanager
    def step(self, name, refused=()):
        """`refused`: statuses or codes that calls of this step are expected to get."""
        calls, told = len(self.stub.CALLS), len(self.stub.TROUBLE)
        try:
            yield
        except (TypeError, AttributeError, RuntimeError) as error:
            if not any(fault in str(error) for fault in OWN_FAULTS):
                raise
            self.stub.TROUBLE.append(str(error))
        bad = [(path, what) for path, what in self.stub.CALLS[calls:]
               if what != 200 and not any(str(one) in str(what) for one in refused)]
        assert not bad, f"{name}: {bad} {self.stub.TROUBLE[told:]}"
        troubles = self.stub.TROUBLE[told:]
        own = [text for text in troubles if any(fault in text for fault in OWN_FAULTS)]
        self.own_faults += [f"{name}: {text}" for text in own]
        # A fault of its own is told in several places.
        assert own or refused or not troubles, f"{name}: {troubles}"

    def note(self, guid, col=None):
        col = col or self.col
        return col.get_note(col.db.scalar("SELECT id FROM notes WHERE guid = ?", guid))

    def log_in(self, person, password=None):
        from decks_wire import PASSWORD  # pylint: disable=import-outside-toplevel
        module = self.module("ui.login_dialog")
        dialog = module.LoginDialog() if module else self.module("ui.single_dialog").MinimalNottorneyDialog()
        dialog.email_input = self.stub.Widget(f" {person.name} ")
        dialog.password_input = self.stub.Widget(password or PASSWORD)
        dialog.login()

    # --- Steps

    def publish(self):
        from decks_wire import card, cards  # pylint: disable=import-outside-toplevel
        from installation import admin  # pylint: disable=import-outside-toplevel
        self.deck = self.publisher.deck("AAA Torts and other wrongs")
        for first in range(0, CARDS, 500):
            self.publisher.push(self.deck, cards(500 - (first == 0), first), version="1.0.1")
        self.publisher.push(self.deck, [card(ODD, {"Front": "<img src='x.png'>", "Back": "odd \U0001f600 \u202e<script>", "Notes": ""},
                                             note_type="Own type", tags=["a", "b::c"])], version="1.0.1")
        self.publisher.call("sync-media", {"deck_id": self.deck, "action": "upload", "file_name": "x.png", "file_hash":
                                           hashlib.sha256(PICTURE).hexdigest(), "content_base64": base64.b64encode(PICTURE).decode()})
        admin("deck", "mark", self.deck, "--verified", "yes", "--featured", "yes")  # browsing shows twenty

    def check_install(self, col):
        assert col.note_count() == CARDS, col.note_count()
        note = self.note(ODD, col)
        assert note["Back"] == "odd \U0001f600 \u202e<script>" and note.tags == ["a", "b::c"] and note.note_type()["name"] == "Own type"
        assert col.db.scalar("SELECT count(DISTINCT guid) FROM notes") == CARDS

    def browse(self):
        """The list of decks, with ours chosen."""
        main = self.module("ui.main_dialog")
        if main:
            browser = main.DeckBrowserDialog()
            shown = browser.deck_list
            browser.load_decks()
        else:
            browser = self.module("ui.tabbed_dialog").NottorneyTabbedDialog()
            browser.load_browse_decks()
            shown = browser.browse_list
        ids = [shown.item(row).data()["id"] for row in range(shown.count())]
        assert self.deck in ids, f"not among {len(ids)}"
        shown.setCurrentRow(ids.index(self.deck))
        return browser

    def install(self):
        with self.step("install"):
            browser = self.browse()
            for name in ("subscribe_selected", "download_selected", "download_selected_deck"):
                if defines(browser, name):
                    getattr(browser, name)()
                    break
        if self.deck not in self.config.get_downloaded_decks():
            # The screen of this build cannot: what it would do.
            assert self.own_faults, self.stub.SHOWN
            with self.step("install by hand"):
                content = self.api.download_deck_file(self.api.download_deck(self.deck)["download_url"])
                here = self.module("deck_importer").import_deck(content, "x")
                self.config.save_downloaded_deck(self.deck, "1.0.1", here)
        self.check_install(self.col)
        assert (pathlib.Path(self.col.media.dir()) / "x.png").read_bytes() == PICTURE
        assert self.col.decks.name(self.config.get_downloaded_decks()[self.deck]["anki_deck_id"]) == "AAA Torts and other wrongs"

    def install_by_pages(self):
        main = self.module("ui.main_dialog")
        if not hasattr(self.api, "pull_all_cards"):
            return
        whole = self.api.pull_all_cards(self.deck)
        assert len({one["card_guid"] for one in whole["cards"]}) == CARDS == whole["total_cards"], len(whole["cards"])
        other = self.make_collection(str(self.place / "other.anki2"))
        self.addon.window.__dict__["col"] = other
        with self.step("install by pages"):
            dialog = main.AnkiPHMainDialog()
            before = self.config.get_downloaded_decks()
            if hasattr(self.module("deck_importer"), "import_deck"):
                dialog._do_install(self.deck, "x")  # pylint: disable=protected-access
            else:
                dialog._install_from_pull_changes(self.deck, self.api.download_deck(self.deck))  # pylint: disable=protected-access
        self.check_install(other)
        other.close()
        self.addon.window.__dict__["col"] = self.col
        for deck, info in before.items():
            self.config.save_downloaded_deck(deck, info["version"], info["anki_deck_id"])

    def sync_dialog(self):
        return self.module("ui.sync_dialog").SyncDialog(self.deck)

    def pull(self, dialog):
        dialog.check_for_changes()
        found = dialog.pull_changes_list.count(), len(dialog.conflicts)
        dialog.pull_all_changes()
        return found

    def pulls(self):
        from decks_wire import card  # pylint: disable=import-outside-toplevel
        self.publisher.push(self.deck, [card("g00007", {"Front": "front of g00007", "Back": "changed"}),
                                        card("g00008", {"Front": "c", "Back": "d"})])
        applies = defines(self.module("ui.sync_dialog").SyncDialog, "_apply_single_change")
        with self.step("pull"):
            dialog = self.sync_dialog()
            assert self.pull(dialog) == (3, 0), (dialog.status_label.text(), self.stub.SHOWN)
            if applies:
                assert self.note("g00007")["Back"] == "changed" and self.note("g00008")["Front"] == "c"
            if hasattr(self.config, "get_sync_state") and self.config.get_sync_state(self.deck).get("last_change_id"):
                dialog.check_for_changes()
                assert (dialog.pull_changes_list.count(), dialog.conflicts) == (0, [])
        if not applies:
            return
        with self.step("a suggestion and a change that meets it"):
            assert self.api.submit_suggestion(self.deck, "g00009", "Back", "back of g00009", "mine", None)["success"]
            self.publisher.push(self.deck, [card("g00009", {"Front": "front of g00009", "Back": "theirs"})])
            dialog.check_for_changes()
            conflicts = [one for one in dialog.conflicts if one["card_guid"] == "g00009"]
            assert [one["local_value"] for one in conflicts] == ["mine"], dialog.conflicts
            dialog.resolve_all_conflicts("server")
            assert self.note("g00009")["Back"] == "theirs"
            dialog.check_for_changes()
            assert dialog.conflicts == [], "told once"
        with self.step("a removed card is left alone"):
            self.publisher.push(self.deck, [card("g00010", {"Front": "e", "Back": "f"})], deleted_guids=["g00011"])
            assert self.pull(dialog)[1] == 0 and self.note("g00010")["Front"] == "e" and self.note("g00011")["Front"]
        with self.step("one change"):
            self.publisher.push(self.deck, [card("g00012", {"Front": "only this", "Back": "not this"})])
            dialog.check_for_changes()
            names = [dialog.pull_changes_list.item(n).data()["field_name"] for n in range(dialog.pull_changes_list.count())]
            dialog.pull_changes_list.setCurrentRow(names.index("Front"))
            dialog.show_pull_change_details(dialog.pull_changes_list.currentItem())
            dialog.pull_selected_change()
            assert self.note("g00012")["Front"] == "only this"
            self.pull(dialog)

    def protected_fields(self):
        from decks_wire import card  # pylint: disable=import-outside-toplevel
        if hasattr(self.api, "set_protected_fields"):
            assert self.api.set_protected_fields(self.deck, ["Back"])["success"]
        else:
            self.person.call("protected-fields", {"deck_id": self.deck, "fields": ["Back"]})
        with self.step("protected fields"):
            settings = self.module("ui.settings_dialog").SettingsDialog()
            settings.load_deck_list()
            settings.deck_selector.choose(lambda _text, deck: deck == self.deck)
            settings.fetch_protected_fields()
            assert self.config.get_protected_fields(self.deck) == ["Back"], self.stub.SHOWN[-3:]
            self.publisher.push(self.deck, [card("g00020", {"Front": "open", "Back": "closed"})])
            self.pull(self.sync_dialog())
            assert self.note("g00020")["Back"] == "back of g00020"
            assert not defines(self.sync_dialog(), "_apply_single_change") or self.note("g00020")["Front"] == "open"
        self.config.save_protected_fields(self.deck, [])

    def suggest(self):
        with self.step("suggest"):
            module = self.module("ui.suggestion_dialog")
            dialog = module.SuggestionDialog(self.deck, "g00030")
            dialog.load_card_fields()
            dialog.field_combo.choose(lambda text, _data: text == "Back")
            dialog.suggested_value_text.setPlainText("better <b> \U0001f600")
            dialog.submit_suggestion()
            module.CardSuggestionBrowser(self.deck).load_cards()
        pending = self.publisher.call("list-suggestions", {"deck_id": self.deck})["suggestions"]
        assert [one["suggested_value"] for one in pending if one["card_guid"] == "g00030"] == ["better <b> \U0001f600"], pending

    def history(self, rows, refused=()):
        with self.step("history and rollback", refused):
            module = self.module("ui.history_dialog")
            dialog = module.CardHistoryDialog(self.deck, "g00007")
            dialog.load_history()
            assert len(dialog.history) >= rows, dialog.status_label.text()
            dialog.history_table.selectRow(len(dialog.history) - 1)
            dialog.on_version_selected()
            dialog.rollback_to_selected()
            assert self.config.is_logged_in(), "it stays logged in"
            module.DeckHistoryBrowser(self.deck).load_cards()

    def advanced(self):
        dialog = self.module("ui.advanced_sync_dialog").AdvancedSyncDialog(self.deck)
        for name in ("preview_tag_changes", "sync_tags", "load_suspend_stats", "sync_suspend_state", "check_media_status", "sync_media",
                     "load_note_types", "sync_note_types"):
            with self.step(f"advanced: {name}"):
                getattr(dialog, name)()
        settings = self.module("ui.settings_dialog").SettingsDialog()
        if defines(settings, "_sync_tags"):
            settings._load_advanced_decks()  # pylint: disable=protected-access
            settings.advanced_deck_selector.choose(lambda _text, deck: deck == self.deck)
            for name in ("_sync_tags", "_sync_suspend", "_sync_media", "_sync_note_types", "_open_card_history", "_open_suggestions",
                         "_open_sync_changes"):
                with self.step(f"settings: {name}"):
                    getattr(settings, name)()

    def progress_and_news(self):
        from decks_wire import card  # pylint: disable=import-outside-toplevel
        sync = self.module("sync")
        with self.step("progress"):
            sync.sync_progress()
            if hasattr(sync, "sync_deck_progress"):
                assert sync.sync_deck_progress(self.deck)["success"]
            assert self.deck in self.config.get_downloaded_decks(), "no deck is forgotten"
        self.publisher.push(self.deck, [card("g00040", {"Front": "n", "Back": "m"})], version="1.3.0", version_notes="what is new")
        with self.step("updates and changelog"):
            checker = self.module("update_checker").update_checker
            assert self.deck in checker.check_for_updates(silent=False), self.stub.SHOWN[-2:]
            assert checker.get_changelog(self.deck)[0]["version"] == "1.3.0"
        with self.step("notifications"):
            tabbed = None if self.module("ui.main_dialog") else self.module("ui.tabbed_dialog")
            if tabbed:
                dialog = tabbed.NottorneyTabbedDialog()
                dialog.load_notifications()
                assert dialog.notifications_list.count() >= 1
                dialog.mark_all_notifications_read()
                for name in ("load_my_decks", "load_updates", "sync_progress", "update_all_decks"):
                    getattr(dialog, name)()
            else:
                found = self.api.check_notifications()
                assert int(found["unread_count"]) >= 1 and found["notifications"][0]["title"]

    def methods(self):
        """Those of the client that no screen calls."""
        deck = self.deck
        arguments = {
            "get_purchased_decks": [()], "batch_download_decks": [([deck],)], "get_my_decks": [()], "check_updates": [()],
            "check_deck_updates": [(deck, "1.0.0")], "manage_subscription": [("get", deck), ("subscribe", deck), ("update", deck)],
            "get_changelog": [(deck,)], "browse_decks": [(), ("all" if self.has("browse_decks", "category") else None, "torts")],
            "get_protected_fields": [(deck,)], "get_card_history": [(deck, "g00007")], "sync_note_types": [(deck, "get")],
            "pull_changes": [(deck,), (deck, "2020-01-01T00:00:00")], "pull_changes_full": [(deck,)],
            "check_notifications": [()]}
        if self.has("sync_tags", "action"):
            arguments["sync_tags"] = [(deck, "pull"), (deck, "push"), (deck, "push", [{"card_guid": "g00050", "tags": ["mine"]}])]
            states = [{"card_guid": "g00050", "is_suspended": True, "is_buried": False}]
            arguments["sync_suspend_state"] = [(deck, "push", states), (deck, "pull")]
        elif hasattr(self.api, "sync_tags"):
            arguments["sync_tags"] = [(deck, []), (deck, [{"card_guid": "g00050", "tags": ["mine"]}])]
            arguments["sync_suspend_state"] = [(deck, []), (deck, [{"card_guid": "g00050", "is_suspended": True}])]
        arguments["sync_media"] = [(deck, action) for action in ("download", "upload")]
        arguments["sync_progress"] = [([{"deck_id": deck, "total_cards": 3}],)] if self.has("sync_progress", "progress_data", first=True) else [
            (deck, {"retention_rate": 99.5})]
        edit = [{"card_guid": "g00051", "field_name": "Back", "old_value": "back of g00051", "new_value": "edited"}]
        arguments["push_changes"] = [(deck, edit, "1.0.1")] if self.has("push_changes", "version") else [(deck, edit)]
        for name, calls in arguments.items():
            for given in calls if hasattr(self.api, name) else ():
                with self.step(f"{name}{given}"):
                    answer = getattr(self.api, name)(*given)
                    assert answer["success"] is True, answer

    def has(self, method, parameter, first=False):
        if not hasattr(self.api, method):
            return False
        names = list(inspect.signature(getattr(self.api, method)).parameters)
        return names[:1] == [parameter] if first else parameter in names

    def expired(self):
        """Its token ends. Builds before the last refresh when a screen asks for it, or not at all."""
        self.config.save_tokens("x" * 40, self.config.get_refresh_token(), "2020-01-01T00:00:00Z")
        self.client.set_access_token("x" * 40)
        with self.step("refresh", refused=(401,)):
            settings = self.module("ui.settings_dialog")
            if not hasattr(self.client, "ensure_valid_token"):
                if hasattr(settings, "ensure_valid_token"):
                    assert settings.ensure_valid_token()
                else:
                    new = self.api.refresh_token(self.config.get_refresh_token())
                    self.config.save_tokens(new["access_token"], new["refresh_token"], new["expires_at"])
                    self.client.set_access_token(new["access_token"])
            assert self.api.browse_decks()["success"] is True and self.config.is_logged_in()
            if hasattr(self.client, "ensure_valid_token"):
                assert self.client.ensure_valid_token()

    def auto_update(self):
        """It installs all updates at start. The collection is another one: it doubles notes."""
        from decks_wire import card  # pylint: disable=import-outside-toplevel
        checker = self.module("update_checker").update_checker
        if not hasattr(checker, "auto_apply_updates"):
            return
        self.publisher.push(self.deck, [card("g00041", {"Front": "n", "Back": "m"})], version="1.4.0")
        other = self.make_collection(str(self.place / "auto.anki2"))
        self.addon.window.__dict__["col"] = other
        with self.step("updates at start"):
            checker.check_for_updates(silent=True)
            checker.auto_apply_updates()
        assert other.note_count() == self.publisher.download(self.deck)["total_cards"], other.note_count()
        self.addon.window.__dict__["col"] = self.col
        other.close()

    def administer(self):
        """The screens of a publisher: a new deck of what is in Anki, its changes, one step back."""
        from decks_wire import card, field_of  # pylint: disable=import-outside-toplevel
        home = self.config.get_downloaded_decks()[self.deck]["anki_deck_id"]
        self.log_in(self.publisher)
        settings = self.module("ui.settings_dialog")
        if not defines(settings.SettingsDialog, "admin_import_deck"):
            return
        self.config.remove_downloaded_deck(self.deck)
        count = self.col.note_count()
        with self.step("import"):
            dialog = settings.SettingsDialog()
            dialog.load_admin_decks()
            dialog.admin_deck_selector.choose(lambda _text, data: data and data[0] == home)
            dialog.on_admin_deck_selected(0)
            dialog.admin_create_new.setChecked(True)
            dialog.admin_deck_title.setText("By the screen")
            dialog.admin_version_input.setText("1.0")
            dialog.admin_notes_input.setText("a first <version>")
            dialog.admin_import_deck()
        new = next(deck for deck in self.config.get_downloaded_decks() if deck != self.deck)
        got = self.publisher.download(new)
        assert got["total_cards"] == count and got["title"] == "By the screen" and got["version"] == "1.0.0", got["total_cards"]
        assert field_of(got, ODD, "Back") == "odd \U0001f600 \u202e<script>"
        note = self.note("g00007")
        before, note["Back"] = note["Back"], "edited in Anki"
        self.col.update_note(note)
        with self.step("push changes"):
            dialog = settings.SettingsDialog()
            dialog.load_admin_decks()
            dialog.admin_deck_selector.choose(lambda _text, data: data and data[0] == home)
            dialog.on_admin_deck_selected(0)
            dialog.admin_create_new.setChecked(False)
            dialog.admin_deck_id_input.setText(new)
            dialog.admin_version_input.setText("1.1")
            dialog.admin_push_changes()
            assert "Added: 0, Modified: 1" in dialog.admin_status.text(), dialog.admin_status.text()
        assert field_of(self.publisher.download(new), "g00007", "Back") == "edited in Anki"
        self.deck, old = new, self.deck
        self.history(2)
        assert field_of(self.publisher.download(new), "g00007", "Back") == before
        with self.step("own decks"):
            made = self.api.create_deck("Made by a method", "d", "civil_law", True, ["t"])["deck"]["id"]
            assert self.api.update_deck(made, title="With another name")["deck"]["title"] == "With another name"
            assert self.api.push_deck_cards(made, [card("a"), card("b")], version="1.1.0")["stats"]["cards_added"] == 2
            assert self.api.push_deck_cards(made, [card("a")], True)["stats"]["cards_deleted"] == 1
            assert self.api.delete_user_deck(made, True)["success"] and self.api.get_my_decks()["success"]
        with self.step("unlink"):
            dialog.load_admin_decks()
            dialog.admin_deck_selector.choose(lambda _text, data: data and data[1] == new)
            dialog.admin_unlink_deck()
        self.api.delete_user_deck(new, True)
        self.deck = old

    def log_out(self):
        with self.step("log out"):
            main = self.module("ui.main_dialog")
            (main.AnkiPHMainDialog() if main else self.module("ui.tabbed_dialog").NottorneyTabbedDialog()).logout()
            assert not self.config.is_logged_in()

    def all(self):
        self.publish()
        with self.step("a wrong password", refused=(401,)):
            self.log_in(self.person, "not the password")
            assert not self.config.is_logged_in()
        with self.step("log in"):
            self.log_in(self.person)
            assert self.config.is_logged_in(), self.stub.SHOWN
        self.install()
        self.install_by_pages()
        self.pulls()
        self.protected_fields()
        self.suggest()
        self.history(2, refused=("FORBIDDEN",))
        self.advanced()
        self.progress_and_news()
        self.methods()
        self.expired()
        self.auto_update()
        self.administer()
        self.log_out()
        self.publisher.call("delete-user-deck", {"deck_id": self.deck, "confirm": True})
        self.col.close()
        return collections.Counter(path for path, _ in self.stub.CALLS), self.own_faults


def play(folder, mode):
    """One client, in this process."""
    with tempfile.TemporaryDirectory() as place:
        copy = pathlib.Path(place) / "addon"  # it writes a log into its own folder
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".git", "__pycache__"))
        say = print
        import addon_stub  # pylint: disable=import-outside-toplevel
        addon_stub.hear_prints()
        calls, faults = Play(copy, mode == "requests", place).all()
        say(f"{sum(calls.values())} calls of {len(calls)} kinds; its own faults: {sorted(set(faults)) or 'none'}")


def run(mode):
    if not ADDONS:
        raise Skip("SYNCLINE_ADDON_DIR names no checkout of the add-on")
    told = []
    for folder in ADDONS:
        done = subprocess.run([sys.executable, __file__, "--play", folder, mode], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        assert done.returncode == 0, f"{folder}\n{done.stdout[-6000:]}"
        told.append(f"\n        {folder}: {done.stdout.splitlines()[-1]}")
    return "".join(told)


def the_add_on_works_with_requests():
    return run("requests")


def the_add_on_works_with_urllib():
    return run("urllib")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(*sys.argv[2:])
        sys.exit(0)
    sys.exit(keep(the_add_on_works_with_requests, the_add_on_works_with_urllib))
