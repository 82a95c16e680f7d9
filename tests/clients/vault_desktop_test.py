#!/usr/bin/env python3
"""The desktop's Socket.IO client, the real library, against the vault: over plain HTTP through nginx, by long polling.

SYNCLINE_HTTP, SYNCLINE_ADMIN and DATABASE_URL locate the installation.
"""

import hashlib
import os
import pathlib
import secrets
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from desktop import Desktop, socketio
from promises import keep, until
from vault import VaultOwner, requests

HTTP = os.environ["SYNCLINE_HTTP"]


def new_owner(**more):
    return VaultOwner(HTTP, os.environ["DATABASE_URL"], **more)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def ask_now(owner, device, token):
    answer = requests.post(f"{HTTP}/vault/vaults/{owner.slug}/devices/{device}/request", timeout=30,
                           headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 202, answer.text


def a_desktop_that_has_just_connected_is_asked_once_it_listens():
    owner = new_owner()
    _, key = owner.device()
    data = b"SQLite format 3\0" + secrets.token_bytes(40_944)
    begin = time.monotonic()
    with Desktop(HTTP, lambda: data, key=key) as desktop:
        until(lambda: desktop.outcomes)
        assert desktop.too_early == 1 and desktop.sent == 1 and time.monotonic() - begin < 4
        assert desktop.outcomes[0]["status"] == "success", desktop.outcomes
    assert [(row[0], row[3]) for row in owner.versions()] == [("cordiax.db", digest(data))]


def a_key_in_the_namespace_is_enough():
    owner = new_owner()
    _, key = owner.device()
    with Desktop(HTTP, lambda: b"one", namespace=f"/cordiax-sync/{key}/") as desktop:
        until(lambda: desktop.outcomes)
    assert owner.versions()[0][3] == digest(b"one")


def a_wrong_key_is_refused_at_once():
    desktop = Desktop(HTTP, lambda: b"", key="wrong")
    try:
        desktop.start()
    except socketio.exceptions.ConnectionError as error:
        assert "401" in str(error), error
    else:
        raise AssertionError("connected")
    for namespace in ("/cordiax-sync/wrong/", "/cordiax-sync/"):
        refused = Desktop(HTTP, lambda: b"", namespace=namespace)
        try:
            refused.start()
        except socketio.exceptions.ConnectionError as error:
            assert "namespaces failed to connect" in str(error), error
        else:
            raise AssertionError("connected")


def a_zip_is_the_other_document():
    owner = new_owner()
    _, key = owner.device()
    empty = b"PK\x05\x06" + bytes(18)
    with Desktop(HTTP, lambda: empty, key=key) as desktop:
        until(lambda: desktop.outcomes)
    assert [row[:2] for row in owner.versions()] == [["cordiax_sync.zip", "zip"]]


def what_an_encrypted_vault_refuses_is_told_and_not_kept():
    owner = new_owner(encryption="required")
    device, key = owner.device()
    data = [b"SQLite format 3\0" + bytes(4080)]
    with Desktop(HTTP, lambda: data[0], key=key) as desktop:
        until(lambda: desktop.outcomes)
        assert desktop.outcomes[0]["status"] == "error" and owner.versions() == []
        assert owner.events()[-1][0] == "upload_refused"
        assert desktop.client.connected and device


def two_desktops_in_turns_lose_nothing():
    owner = new_owner()
    token = owner.token()
    state = {}
    desktops = []
    for name in ("one", "two"):
        device, key = owner.device(name)
        desktop = Desktop(HTTP, lambda name=name: state[name], key=key)
        state[name] = f"{name} 0".encode()
        desktop.start()
        desktops.append((name, device, desktop))
    for _, _, desktop in desktops:
        until(lambda desktop=desktop: desktop.outcomes)
    for turn in range(1, 21):
        for name, device, desktop in desktops:
            state[name] = f"{name} {turn}".encode()
            done = len(desktop.outcomes)
            ask_now(owner, device, token)
            until(lambda desktop=desktop, done=done: len(desktop.outcomes) > done)
            assert desktop.outcomes[-1]["status"] == "success", desktop.outcomes[-1]
    for _, _, desktop in desktops:
        desktop.stop()
    kept = [row[3] for row in owner.versions()]
    assert sorted(kept) == sorted(digest(f"{name} {turn}".encode()) for name in ("one", "two") for turn in range(21))
    states = [row[2] for row in owner.versions()]
    assert states.count("conflict") >= 39, states


def a_desktop_whose_screen_is_closed_stays_connected():
    owner = new_owner()
    device, key = owner.device()
    token = owner.token()
    with Desktop(HTTP, lambda: b"x", key=key) as desktop:
        desktop.is_screen_open = False
        until(lambda: desktop.requests == 1)
        for wanted in (2, 3, 4):
            ask_now(owner, device, token)
            until(lambda wanted=wanted: desktop.requests == wanted)
        # A second session of the same desktop, whose screen is open, is the one that is asked.
        with Desktop(HTTP, lambda: b"x", key=key) as newer:
            until(lambda: newer.outcomes)
            assert desktop.client.connected and desktop.requests == 4


def a_removed_desktop_is_sent_away_for_good():
    owner = new_owner()
    device, key = owner.device()
    with Desktop(HTTP, lambda: b"x", key=key) as desktop:
        until(lambda: desktop.outcomes)
        owner.remove(device)
        until(lambda: not desktop.client.connected)
        time.sleep(2)
        assert not desktop.client.connected and desktop.connects == 1


def main():
    return keep(a_desktop_that_has_just_connected_is_asked_once_it_listens, a_key_in_the_namespace_is_enough,
                a_wrong_key_is_refused_at_once, a_zip_is_the_other_document, what_an_encrypted_vault_refuses_is_told_and_not_kept,
                two_desktops_in_turns_lose_nothing, a_desktop_whose_screen_is_closed_stays_connected,
                a_removed_desktop_is_sent_away_for_good)


if __name__ == "__main__":
    sys.exit(main())
