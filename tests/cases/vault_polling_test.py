#!/usr/bin/env python3
"""Socket.IO, protocol 5, over long polling, as the vault serves it to desktops: packet by packet.

SYNCLINE_HTTP, SYNCLINE_DIR, SYNCLINE_ADMIN and DATABASE_URL locate the installation.
"""

import base64
import concurrent.futures
import hashlib
import json
import os
import pathlib
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from installation import admin
from promises import keep, until
from vault import SYNC, Polling, VaultOwner, completed, requests, upload

HTTP = os.environ["SYNCLINE_HTTP"]
DIR = pathlib.Path(os.environ["SYNCLINE_DIR"])
NOT_JOINED = '44%s,{"message":"%s"}'


def new_owner(**columns):
    return VaultOwner(HTTP, os.environ["DATABASE_URL"], **columns)


def session(key=None, **more):
    polling = Polling(HTTP, {"token": key} if key else None, **more)
    polling.open()
    return polling


def joined(key, namespace=SYNC):
    """A session in the namespace of desktops."""
    polling = session(key)
    answer = polling.join(namespace)
    assert answer.startswith(f'40{namespace},{{"sid":"'), answer
    return polling


def database(rows=1):
    """A small SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cordiax.db"
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE alumnos (nombre TEXT)")
        db.executemany("INSERT INTO alumnos VALUES (?)", [(secrets.token_hex(200),) for _ in range(rows)])
        db.commit()
        db.close()
        return path.read_bytes()


def outcome_of(polling, packet):
    polling.send(packet)
    return completed(polling.until(f"42{SYNC},[\"sync_complete\"")[0])


def digest(data):
    return hashlib.sha256(data).hexdigest()


def a_desktop_is_asked_a_second_and_a_half_after_it_has_joined():
    owner = new_owner()
    polling = joined(owner.device()[1])
    begin = time.monotonic()
    packet, _ = polling.until("42")
    waited = time.monotonic() - begin
    assert packet == f'42{SYNC},["sync_request",{{}}]' and 1.4 < waited < 2.5, (packet, waited)
    data = database()
    outcome = outcome_of(polling, upload(data))
    assert outcome["status"] == "success" and len(outcome["timestamp"]) == 15, outcome
    assert [(row[0], row[1], row[2], row[3]) for row in owner.versions()] == [("cordiax.db", "sqlite-plain", "ok", digest(data))]
    assert [kind for kind, _ in owner.events()] == ["upload_ok"]
    outcome = outcome_of(polling, upload(data))
    assert outcome["state"] == "unchanged" and len(owner.versions()) == 1
    assert [kind for kind, _ in owner.events()] == ["upload_ok", "upload_unchanged"]


def keys_are_taken_from_query_user_info_namespace_and_payload():
    owner = new_owner()
    _, key = owner.device()
    assert joined(key).sid
    basic = base64.b64encode(f"ane:{key}".encode()).decode()
    assert session(headers={"authorization": f"Basic {basic}"}).join().startswith("40")
    for namespace in (f"{SYNC}{key}/", f"{SYNC}{key}"):
        assert session().join(namespace).startswith(f"40{namespace},{{"), namespace
    for namespace in (SYNC, SYNC[:-1]):
        assert session().join(namespace, json.dumps({"token": key})).startswith(f"40{namespace},{{"), namespace
    for namespace, payload in ((SYNC, "{}"), (SYNC, '{"token":"wrong"}'), (f"{SYNC}wrong/", "{}"), (SYNC, '{"token":5}')):
        assert session().join(namespace, payload) == NOT_JOINED % (namespace, "Forbidden"), (namespace, payload)
    polling = session()
    for namespace in ("/", "/other", f"{SYNC}a/b/", "/cordiax-syncx"):
        polling.send("40" + ("" if namespace == "/" else namespace + ","))
        refusal = "Invalid namespace"
        assert polling.until("44")[0] == ('44{"message":"%s"}' % refusal if namespace == "/" else NOT_JOINED % (namespace, refusal))
    # Another device's key does not open a session that is somebody's.
    other = session(key)
    assert other.join(f"{SYNC}{owner.device('two')[1]}/").startswith("44")
    assert Polling(HTTP, {"token": "wrong"}).ask().status_code == 401
    assert Polling(HTTP, headers={"authorization": "Basic !"}).ask().status_code == 401
    taken = session(key)
    assert taken.ask(query={"token": owner.device("three")[1]}).status_code == 403


def a_namespace_that_was_left_is_joined_again():
    owner = new_owner()
    _, key = owner.device()
    polling = session(key)
    polling.send(f"40{SYNC},", f"41{SYNC},", f"40{SYNC},", upload(b"one"))
    packets = []
    while not any("sync_complete" in packet for packet in packets):
        packets += polling.poll()
    sids = {json.loads(packet[len(f"40{SYNC},"):])["sid"] for packet in packets if packet.startswith("40")}
    assert len(sids) == 2, packets
    assert len(owner.versions()) == 1
    early = session(key)
    early.send(upload(b"early"), f"40{SYNC},")
    assert early.until("4")[0].startswith(f"40{SYNC},")
    assert len(owner.versions()) == 1
    assert outcome_of(early, upload(b"later"))["status"] == "success"
    # Joining twice changes nothing.
    early.send(f"40{SYNC},", upload(b"last", ack="5"))
    assert completed(early.until("42")[0])["status"] == "success"
    assert early.until("43")[0].startswith(f"43{SYNC},5[{{\"status\":\"success\"")


def what_is_no_upload_is_answered_and_keeps_the_session():
    owner = new_owner()
    polling = joined(owner.device()[1])
    for payload in ('{"data":"0"}', '{"data":"zz"}', '{}', '{"data":5}', '{"data":null}', '"00"', '[]', '{"data":"\\u0030\\u0030"}',
                    '{"data":"00\\"00"}'):
        outcome = outcome_of(polling, f'42{SYNC},["sync_data",{payload}]')
        assert outcome["status"] == "error" and outcome["message"], (payload, outcome)
    assert outcome_of(polling, f'42{SYNC},["sync_data"]')["status"] == "error"
    assert owner.versions() == []
    polling.send(f'42{SYNC},["other",{{"data":"00"}}]', f'42{SYNC},["connect"]', "3")
    assert outcome_of(polling, upload(b"x", filename="y", base_version=0, unknown=[{}]))["status"] == "success"
    stale = outcome_of(polling, upload(b"z", base_version=0))
    assert stale["status"] == "error" and len(owner.versions()) == 1, stale
    polling.send(f'42{SYNC},3["sync_meta",{{}}]')
    listed = json.loads(polling.until("43")[0].removeprefix(f"43{SYNC},3"))[0]["versions"]
    assert [(one["size"], one["state"], one["sha256"]) for one in listed] == [(1, "suspect", digest(b"x"))], listed
    polling.send(f'42{SYNC},["sync_meta"]')
    assert polling.until(f'42{SYNC},["sync_meta",')[0]
    polling.send("42abc[]", status=400)
    polling.poll(status=400)


def bad_packets_end_their_session_only():
    owner = new_owner()
    _, key = owner.device()
    other = joined(owner.device("other")[1])
    for bad in ('42["x"', '442["x"]', f'451-{SYNC},["x"]', "4", "49", f"42{SYNC},{{}}",
                f'451-{SYNC},["sync_data",{{"data":{{"_placeholder":true,"num":1}}}}]\x1ebAAAA',
                f'451-{SYNC},["sync_data",{{"data":{{"_placeholder":true,"num":0}}}}]\x1e42["x"]', "bAAAA"):
        polling = joined(key)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(polling.poll, 400)
            time.sleep(0.05)
            polling.send(bad, status=400)
            assert waiting.result()["code"] == 3, bad
        assert polling.poll(400)["code"] == 1
    assert outcome_of(other, upload(b"x"))["status"] == "success"


def attachments_are_uploads_too():
    owner = new_owner()
    polling = joined(owner.device()[1])
    head = f'451-{SYNC},%s["sync_data",{{"data":{{"_placeholder":true,"num":0}}}}]'
    polling.send(head % "" + "\x1eb4AAA")
    assert completed(polling.until("42")[0])["status"] == "success"
    assert owner.versions()[-1][3] == digest(b"\xe0\0\0")
    # In a POST of their own, with a pong between; keys in the other order, something beside them.
    polling.send(f'452-{SYNC},9["sync_data",{{"x":null,"data":{{"num":1,"_placeholder":true}}}},{{"_placeholder":true,"num":0}}]')
    polling.send("3")
    polling.send("bAAAA\x1e3")
    polling.send("b" + base64.b64encode(b"in another one").decode())
    assert completed(polling.until("42")[0])["status"] == "success"
    assert polling.until("43")[0].startswith(f'43{SYNC},9[{{"status":"success"')
    assert owner.versions()[-1][3] == digest(b"in another one")
    polling.send(f'451-{SYNC},["sync_data",{{"other":{{"_placeholder":true,"num":0}}}}]\x1ebAAAA')
    assert completed(polling.until("42")[0])["status"] == "error"
    polling.send(f'450-{SYNC},["sync_data",{{}}]')
    assert completed(polling.until("42")[0])["status"] == "error"
    polling.send(f'461-{SYNC},1[{{"_placeholder":true,"num":0}}]\x1ebAAAA', f"43{SYNC},1[]")
    assert len(owner.versions()) == 2


def plaintext_never_enters_an_encrypted_vault():
    owner = new_owner(encryption="required")
    polling = joined(owner.device()[1])
    marker = secrets.token_hex(16).encode()
    data = database(2000) + marker * 1000
    outcome = outcome_of(polling, upload(data))
    assert outcome["status"] == "error" and owner.versions() == [], outcome
    assert owner.events()[-1][0] == "upload_refused"
    polling.send(f'451-{SYNC},["sync_data",{{"data":{{"_placeholder":true,"num":0}}}}]\x1eb' + base64.b64encode(data).decode())
    assert completed(polling.until("42")[0])["status"] == "error"
    for path in DIR.rglob("*"):
        if path.is_file() and "postgres" not in path.parts[len(DIR.parts):][:1]:
            text = path.read_bytes()
            assert marker not in text and marker.hex().encode() not in text, path
    assert owner.rows("SELECT 1 FROM vault_versions WHERE %s") == []


def a_large_upload_is_a_version_and_one_over_the_limit_pauses_the_device():
    owner = new_owner()
    device, key = owner.device()
    polling = joined(key)
    data = b"SQLite format 3\0" + secrets.token_bytes(1 << 20) * 64
    outcome = outcome_of(polling, upload(data))
    assert outcome["status"] == "success" and owner.versions()[-1][3] == digest(data), outcome
    outcome = outcome_of(polling, upload(bytes(70_000_001)))
    assert outcome["status"] == "error" and len(owner.versions()) == 1, outcome
    assert paused(owner, device)
    assert outcome_of(polling, upload(b"small"))["status"] == "success"
    assert not paused(owner, device)
    answer = polling.ask("POST", b"4" + b"x" * 140_100_000)
    assert answer.status_code == 413 and answer.json()["code"] == 3, answer.text
    assert paused(owner, device)
    polling.poll(400)


def paused(owner, device):
    user = owner.rows("SELECT DISTINCT user_id FROM vaults WHERE %s")[0][0]
    done = subprocess.run(["redis-cli", "-s", os.environ["REDIS_URL"].removeprefix("unix://"), "exists",
                           f"syncline:vault:{{{user}:{device}}}:pause"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip() == "1"


def the_owner_lists_asks_and_removes_devices():
    owner = new_owner()
    headers = {"authorization": f"Bearer {owner.token()}"}
    address = f"{HTTP}/vault/vaults/{owner.slug}/devices"
    made = requests.post(address, json={"name": "aula 2"}, headers=headers, timeout=30)
    assert made.status_code == 201 and made.json()["namespace"] == f"{SYNC}{made.json()['key']}/", made.text
    device, key = made.json()["id"], made.json()["key"]

    def shown():
        return {one["id"]: one for one in requests.get(address, headers=headers, timeout=30).json()["devices"]}
    assert shown()[device]["presence"] == "away" and shown()[device]["last_upload_at"] is None
    assert requests.post(f"{address}/{device}/request", headers=headers, timeout=30).status_code == 409
    polling = joined(key)
    assert shown()[device]["presence"] == "connected"
    polling.until("42")
    assert requests.post(f"{address}/{device}/request", headers=headers, timeout=30).status_code == 202
    assert polling.until("42")[0] == f'42{SYNC},["sync_request",{{}}]'
    assert requests.post(f"{address}/{device}/request", headers=headers, timeout=30).status_code == 202
    polling.until("42")
    assert shown()[device]["presence"] == "screen_closed"
    assert outcome_of(polling, upload(b"x"))["status"] == "success"
    assert shown()[device]["presence"] == "connected" and shown()[device]["last_version"] == 1
    for method, path, status in (("GET", f"{HTTP}/vault/vaults/none/devices", 404), ("DELETE", f"{address}/{device + 1}", 404),
                                 ("DELETE", f"{address}/x", 404), ("POST", f"{address}/{device + 1}/request", 404)):
        assert requests.request(method, path, headers=headers, timeout=30).status_code == status, (method, path)
    assert requests.delete(f"{address}/{device}", headers=headers, timeout=30).status_code == 204
    assert polling.poll() == ["1"]
    until(lambda: Polling(HTTP, {"token": key}).ask().status_code == 401, 2)
    assert session().join(f"{SYNC}{key}/").startswith("44")
    assert shown() == {}
    _, other = owner.device("two")
    assert joined(other).sid
    assert "two" in admin("vault", "device", "list", owner.user, owner.slug)
    number = [one for one in shown().values() if one["name"] == "two"][0]["id"]
    owner.remove(number)
    assert shown() == {}


def the_newest_session_of_a_device_is_asked():
    owner = new_owner()
    device, key = owner.device()
    old, new = joined(key), joined(key)
    assert new.until("42", 10)[0].startswith("42")
    # The older one is passed over, and asked once the newer one has not answered.
    headers = {"authorization": f"Bearer {owner.token()}"}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(old.until, "42", 10)
        assert requests.post(f"{HTTP}/vault/vaults/{owner.slug}/devices/{device}/request", headers=headers, timeout=30).status_code == 202
        assert new.until("42", 10)[0].startswith("42")
        assert asked.result()[0] == f'42{SYNC},["sync_request",{{}}]'


def a_session_too_many_ends_the_oldest():
    owner = new_owner()
    _, key = owner.device()
    sessions = [joined(key) for _ in range(6)]
    answer = sessions[0].ask()
    assert answer.status_code in (400, 503), answer.text
    for other in sessions[1:]:
        other.send("3")


def main():
    return keep(a_desktop_is_asked_a_second_and_a_half_after_it_has_joined, keys_are_taken_from_query_user_info_namespace_and_payload,
                a_namespace_that_was_left_is_joined_again, what_is_no_upload_is_answered_and_keeps_the_session,
                bad_packets_end_their_session_only, attachments_are_uploads_too, plaintext_never_enters_an_encrypted_vault,
                a_large_upload_is_a_version_and_one_over_the_limit_pauses_the_device, the_owner_lists_asks_and_removes_devices,
                the_newest_session_of_a_device_is_asked, a_session_too_many_ends_the_oldest)


if __name__ == "__main__":
    sys.exit(main())
