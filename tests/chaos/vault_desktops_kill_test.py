"""A process of the pool realtime is killed every second while desktops stay connected and send: they come back by themselves, no request
meets an unknown session, and what was acknowledged is kept."""

import hashlib
import pathlib
import secrets
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import requests
from desktop import Desktop
from promises import keep, until
from stack import Stack
from vault import Polling, VaultOwner

DESKTOPS, PROCESSES, SECONDS = 4, 3, 25

stack: Stack


def kill_for(seconds):
    """Kills a process a second; returns how many."""
    kills, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        copy = kills % PROCESSES + 1
        pid = stack.kill("realtime", copy)
        kills += 1
        time.sleep(1)
        stack.wait_for_another("realtime", pid, copy)
    return kills


def desktops_survive_a_kill_a_second():
    owner = VaultOwner(stack.http, stack.env["DATABASE_URL"], command=stack.env["SYNCLINE_ADMIN"])
    token = owner.token()
    unknown, sent, desktops = [], [], []

    def content():
        sent.append(secrets.token_bytes(200_000))
        return sent[-1]

    def watched(session):
        ask = session.request

        def request(method, address, **more):
            answer = ask(method, address, **more)
            if answer.status_code == 400:
                unknown.append((method, answer.text))
            return answer
        session.request = request
        return session
    for n in range(DESKTOPS):
        device, key = owner.device(f"desktop {n}")
        desktop = Desktop(stack.http, content, key=key, is_hasty=False)
        desktop.client.eio.http = watched(requests.Session())
        desktop.client.eio.external_http = True
        desktop.start()
        desktops.append((device, desktop))
    over = threading.Event()

    def keep_asking():
        while not over.wait(0.3):
            for device, _ in desktops:
                requests.post(f"{stack.http}/vault/vaults/{owner.slug}/devices/{device}/request", timeout=30,
                              headers={"authorization": f"Bearer {token}"})
    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        kills = kill_for(SECONDS)
        counts = [len(desktop.outcomes) for _, desktop in desktops]
        for (_, desktop), count in zip(desktops, counts):
            try:
                until(lambda desktop=desktop, count=count: len(desktop.outcomes) > count, 60)
            except AssertionError as error:
                raise AssertionError([(one.client.eio.state, one.requests, one.sent, one.disconnects) for _, one in desktops]) from error
    finally:
        over.set()
        asking.join()
        for _, desktop in desktops:
            desktop.stop()
    assert not [answer for answer in unknown if '"code":1' in answer[1]], unknown
    kept = [row[3] for row in owner.versions()]
    acknowledged = sum(1 for _, desktop in desktops for outcome in desktop.outcomes if outcome["status"] == "success")
    known = {hashlib.sha256(data).hexdigest() for data in sent}
    assert set(kept) <= known and len(kept) == len(set(kept)) and len(kept) >= acknowledged, (len(kept), acknowledged)
    assert all(outcome["status"] == "success" for _, desktop in desktops for outcome in desktop.outcomes)
    return f"{kills} kills, {len(kept)} versions, {sum(desktop.disconnects for _, desktop in desktops)} disconnects"


def a_desktop_that_vanishes_is_noted():
    owner = VaultOwner(stack.http, stack.env["DATABASE_URL"], command=stack.env["SYNCLINE_ADMIN"])
    session = Polling(stack.http, {"token": owner.device()[1]})
    session.open()
    session.join()
    until(lambda: ["device_silent", ""] in owner.events(), 75, pause=1)


def main():
    global stack
    with Stack({"SYNCLINE_COPIES_REALTIME": str(PROCESSES), "SYNCLINE_VAULT_HANDSHAKES_PER_MINUTE": "100000",
                "SYNCLINE_VAULT_UPLOADS_PER_HOUR": "100000", "SYNCLINE_VAULT_PING_INTERVAL_MS": "5000",
                "SYNCLINE_VAULT_PING_TIMEOUT_MS": "5000"}) as stack:
        return keep(desktops_survive_a_kill_a_second, a_desktop_that_vanishes_is_noted)


if __name__ == "__main__":
    sys.exit(main())
