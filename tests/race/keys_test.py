"""Concurrent logins, and a key that is revoked while its device syncs."""

import collections
import concurrent.futures
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire
from database import Session
from promises import keep
from stack import Stack

PASSWORD = "a good password"

stack: Stack


def twenty_concurrent_logins_get_distinct_keys():
    stack.add_user("twenty", PASSWORD)
    told_to_wait = 0

    def log_in(_):
        nonlocal told_to_wait
        wire = Wire(stack.http)
        end = time.monotonic() + 60
        while True:
            try:
                return wire.log_in("twenty", PASSWORD).key
            except Refused as refused:  # concurrent hashes are limited; the others wait, or get 503 and retry
                assert refused.status == 503 and time.monotonic() < end, refused
                told_to_wait += 1

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        keys = list(pool.map(log_in, range(20)))
    assert len(set(keys)) == 20
    for key in keys:
        Wire(stack.http, key).ask("meta", {"v": 11, "cv": "x"})
    return f"{told_to_wait} times 503"


def a_key_revoked_during_a_sync_is_refused_within_a_second_by_every_process():
    stack.add_user("lost", PASSWORD)
    mine, lost = (Device(Wire(stack.http).log_in("lost", PASSWORD)) for _ in range(2))
    mine.sync()
    lost.sync()
    mine.add_note("mine")
    mine.sync()
    lost.add_note("of a thief")
    requests = lost.requests()
    for method in requests:
        if method == "finish":
            break
    with Session(stack.env["DATABASE_URL"]) as session:
        newest = session.number("SELECT max(device_id) FROM devices JOIN users USING (user_id)"
                                " WHERE users.name = 'lost'")
    stack.admin("device", "revoke", "lost", str(newest))
    revoked = time.monotonic()

    def ask(method):
        try:
            Wire(stack.http, lost.wire.key).send(method, b'{"v": 11, "cv": "x", "minUsn": 0}')
            return 200
        except Refused as refused:
            return refused.status
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        methods = ["meta", "start", "chunk", "download", "finish", "abort"] * 16  # reaches every slot of every process
        while True:
            passed = time.monotonic() - revoked
            answers = list(pool.map(ask, methods))
            if set(answers) == {403}:
                break
            assert passed < 1, answers
    try:
        next(requests)
        raise AssertionError("a revoked key finished a sync")
    except Refused as refused:
        assert refused.status == 403
    mine.sync()
    third = Device(Wire(stack.http, mine.wire.key))
    third.sync()
    assert len(third.rows["notes"]) == 1
    return f"all of {len(answers)} requests, {passed:.1f} s after the revocation"


def removing_an_account_during_its_requests_causes_no_500():
    answers = collections.Counter()

    def ask_until_refused(key, method):
        while True:
            try:
                Wire(stack.http, key).send(method, b'{"v":11,"cv":"x","minUsn":0,"lnewer":false}')
                answers[method, 200] += 1
            except Refused as refused:
                answers[method, refused.status] += 1
                if refused.status == 403:
                    return
    for n in range(5):
        stack.add_user(f"leaving{n}", PASSWORD)
        key = Wire(stack.http).log_in(f"leaving{n}", PASSWORD).key
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask_until_refused, key, method) for method in ("meta", "start", "upload", "abort")]
            stack.admin("user", "remove", "--yes", f"leaving{n}")
            for each in asking:
                each.result()
    assert all(status < 500 for _, status in answers), answers
    return f"{sum(answers.values())} requests: {sorted({status for _, status in answers})}"


def main():
    global stack
    with Stack() as stack:
        return keep(twenty_concurrent_logins_get_distinct_keys,
                    a_key_revoked_during_a_sync_is_refused_within_a_second_by_every_process,
                    removing_an_account_during_its_requests_causes_no_500)


if __name__ == "__main__":
    sys.exit(main())
