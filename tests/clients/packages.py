"""Packages of the real `anki` package, and the API that imports and exports them.

    result = import_package(account, path, with_scheduling=True)     # the answer of a finished import
    path = export_package(account, "out.apkg", deck="Lang")
"""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

from anki import deck_config_pb2
from anki.collection import DeckIdLimit, ExportAnkiPackageOptions, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from devices import DECK, HTTP, NOTETYPE, PASSWORD, _message
from rest_wire import script_login  # on the path of devices

WHEN = ("if_newer", "always", "never")


def call(account, path, method="GET", body=None, headers=None):
    """Status, headers and body of an answer of the API."""
    request = urllib.request.Request(HTTP + path, data=body, method=method, headers=headers or {})
    if account is not None and not request.has_header("Anki-sync"):
        request.add_header("Authorization", script_login(account.name, PASSWORD))
    try:
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def start_import(account, package, **options):
    """Sends a package, bytes or a path; returns where to ask for its state."""
    body = package if isinstance(package, bytes) else open(package, "rb").read()
    query = urllib.parse.urlencode({name: str(value).lower() for name, value in options.items()})
    status, headers, answer = call(account, "/api/sync/import/?" + query, "POST", body,
                                   {"Content-Type": "application/octet-stream"})
    assert status == 202, (status, answer)
    assert headers["Location"] == "/api/sync/import/" + json.loads(answer)["id"]
    return headers["Location"]


def state_of(account, location):
    status, _, answer = call(account, location)
    assert status == 200, (status, answer)
    return json.loads(answer)


def wait_for(account, location, seconds=120):
    end = time.monotonic() + seconds
    while True:
        state = state_of(account, location)
        if state["state"] in ("done", "failed"):
            return state
        assert time.monotonic() < end, state
        time.sleep(0.05)


def import_package(account, package, **options):
    """The report; a refused package is an assertion."""
    state = wait_for(account, start_import(account, package, **options))
    assert state["state"] == "done", state
    return state["report"]


def refused_package(account, package, **options):
    """The public code."""
    state = wait_for(account, start_import(account, package, **options))
    assert state["state"] == "failed", state
    assert state["error"]["message"], state
    return state["error"]["code"]


def export_package(account, path, **options):
    query = urllib.parse.urlencode({name: str(value) if name == "deck" else str(value).lower()
                                    for name, value in options.items()})
    status, _, body = call(account, "/api/sync/export/?" + query)
    assert status == 200, (status, body[:200])
    with open(path, "wb") as file:
        file.write(body)
    return path


def make_package(collection, path, deck=None, legacy=False, with_scheduling=False, with_deck_configs=False,
                 with_media=True):
    """An .apkg by the real exporter."""
    collection.export_anki_package(
        out_path=str(path), limit=DeckIdLimit(collection.decks.id(deck)) if deck else None,
        options=ExportAnkiPackageOptions(with_scheduling=with_scheduling, with_deck_configs=with_deck_configs,
                                         with_media=with_media, legacy=legacy))
    return str(path)


def import_locally(collection, path, **options):
    """The real importer's log."""
    options = {name: WHEN.index(value) if value in WHEN else value for name, value in options.items()}
    return collection.import_anki_package(
        ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions(**options))).log


def comparable(collection):
    """{table: rows} without usns, and without times and ids that come from the clock of the importer."""
    db = collection.db
    decks = {number: name for number, name in db.all("select id, name from decks")}
    notetypes = {number: name for number, name in db.all("select id, name from notetypes")}
    return {
        "notes": sorted([*row, notetypes.get(mid, mid)] for mid, *row in db.all(
            "select mid, id, guid, mod, tags, flds, sfld, csum from notes")),
        "cards": sorted([*row, decks.get(did, did), decks.get(odid, odid) if odid else 0] for did, odid, *row in db.all(
            "select did, odid, id, nid, ord, type, queue, due, ivl, factor, reps, lapses, left, odue, flags, data, mod from cards")),
        "revlog": db.all("select id, cid, ease, ivl, lastIvl, factor, time, type from revlog order by id"),
        # A client adapts a tag that it receives to the spelling of the parent it has by then.
        "tags": sorted(tag.casefold() for tag in db.list("select tag from tags")),
        "decks": sorted([name, _message(DECK.Common, common), _message(DECK.KindContainer, kind)]
                        for name, common, kind in db.all("select name, common, kind from decks")),
        "deck_config": [[number, name, _message(deck_config_pb2.DeckConfig.Config, config)] for number, name, config in
                        db.all("select id, name, config from deck_config order by id")],
        "notetypes": sorted([name, _message(NOTETYPE.Config, config)] for name, config in
                            db.all("select name, config from notetypes")),
        "fields": sorted([notetypes[number], position, name, _message(NOTETYPE.Field.Config, config)]
                         for number, position, name, config in db.all("select ntid, ord, name, config from fields")),
        "templates": sorted([notetypes[number], position, name, _message(NOTETYPE.Template.Config, config)]
                            for number, position, name, config in db.all("select ntid, ord, name, config from templates")),
    }
