"""Accounts over HTTP: /auth/ and /users/me as clients of the anime tracker use them, /account/ for all services.

SYNCLINE_HTTP, SYNCLINE_ADMIN, DATABASE_URL, REDIS_URL and SYNCLINE_DIR locate the server (`<dir>/env` of ./run).
"""

import base64
import concurrent.futures
import hashlib
import hmac
import io
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Wire, status_of
from database import Session
from installation import admin
from media_wire import Folder
from promises import keep, until
from rest_wire import HTTP, PASSWORD, Client, ask, basic, claims_of, new_email

DIR = pathlib.Path(os.environ["SYNCLINE_DIR"])
UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


def at_once(count, call):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(call, n) for n in range(count)]]


def redis(*command):
    done = subprocess.run(["redis-cli", "-s", os.environ["REDIS_URL"].removeprefix("unix://"), *command], check=True,
                          text=True, stdout=subprocess.PIPE)
    return done.stdout.strip()


def logs():
    return "\n".join(path.read_text(errors="replace") for path in (DIR / "log").rglob("*") if path.is_file())


def s01_registering_logs_in():
    email = new_email().replace("example.com", "Example.COM")
    answer = ask("POST", "/auth/register", {"email": email, "password": PASSWORD})
    assert answer.status == 201 and list(answer.json) == ["access_token", "refresh_token", "token_type"], answer
    assert answer.json["token_type"] == "bearer"
    for name, type_, seconds in (("access_token", "access", 900), ("refresh_token", "refresh", 604800)):
        claims = claims_of(answer.json[name])
        assert claims["type"] == type_ and claims["exp"] - claims["iat"] == seconds, claims
        assert isinstance(claims["sub"], str) and set(claims) == {"sub", "jti", "type", "iat", "exp", "sid"}, claims
        assert re.match(UUID4, claims["jti"]), claims
    me = ask("GET", "/users/me", token=answer.json["access_token"])
    assert me.status == 200 and list(me.json) == ["id", "email", "is_active", "created_at"], me
    assert me.json["email"] == email.replace("Example.COM", "example.com") and me.json["is_active"] is True


def s02_an_address_registers_once():
    client = Client().register()
    for email in (client.email, client.email.upper(), client.email.replace("example", "EXAMPLE")):
        answer = ask("POST", "/auth/register", {"email": email, "password": PASSWORD})
        assert (answer.status, answer.detail) == (409, "Email already registered"), answer
    email = new_email()
    answers = at_once(20, lambda _: ask("POST", "/auth/register", {"email": email, "password": PASSWORD}).status)
    assert sorted(set(answers)) in ([201, 409], [201, 409, 503]) and answers.count(201) == 1, answers
    with Session(os.environ["DATABASE_URL"]) as db:
        assert db.number(f"SELECT count(*) FROM users WHERE email = '{email}'") == 1


def s03_invalid_registrations_show_no_password():
    secret = "sh-" + os.urandom(2).hex()
    form = {"content-type": "application/x-www-form-urlencoded"}
    cases = [
        (b'{"email":"kim@example.com","password":"%s"}' % secret.encode(), {}, "string_too_short"),
        (b'{"password":"%s and more"}' % secret.encode(), {}, "missing"),
        (b"not json " + secret.encode(), {}, "json_invalid"),
        (b"[]", {}, "model_attributes_type"),
        (b"email=a&password=" + secret.encode(), form, "model_attributes_type"),
        (b'{"email":"kim@localhost","password":"%s and more"}' % secret.encode(), {}, "value_error"),
        (b'{"email":"kim@x.test","password":"%s and more"}' % secret.encode(), {}, "value_error"),
        (b'{"email":"a@b@example.com","password":"%s and more"}' % secret.encode(), {}, "value_error"),
        (b'{"email":"kim@example.com","password":"%s\\u0000abcdefg"}' % secret.encode(), {}, "value_error"),
    ]
    for body, headers, kind in cases:
        answer = ask("POST", "/auth/register", body, headers=headers)
        assert answer.status == 422 and answer.detail[0]["type"] == kind, (body, answer)
        assert secret.encode() not in answer.body, answer
    assert secret not in logs()


def s04_a_wrong_login_tells_nothing():
    known, unknown = Client().register(), new_email()
    took = {True: [], False: []}
    for n in range(8):
        for is_known in (True, False):
            # Another account each time, so that nobody is slowed down.
            email = known.email if is_known and n < 4 else new_email() if not is_known else Client().register().email
            begin = time.monotonic()
            answer = ask("POST", "/auth/login", {"email": email, "password": "not this one"})
            took[is_known].append(time.monotonic() - begin)
            assert (answer.status, answer.detail) == (401, "Invalid email or password"), answer
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    times = [statistics.median(took[key]) for key in (True, False)]
    assert max(times) < min(times) * 1.5, times
    answers = [ask("POST", "/auth/login", {"email": unknown, "password": "wrong, again"}) for _ in range(11)]
    assert answers[-1].status == 429 and int(answers[-1].headers["Retry-After"]) >= 1, answers[-1]
    assert [answer.status for answer in answers[:10]] == [401] * 10, answers


def s05_all_bytes_of_a_password_count():
    password = "ab" * 100
    client = Client(password=password).register()
    client.log_in()
    assert ask("POST", "/auth/login", {"email": client.email, "password": password[:72]}).status == 401


def a_password_is_the_same_from_every_system():
    composed, decomposed = "gr\u00fcn wie Gras", "gru\u0308n wie\u00a0Gras"
    for set_as in (composed, decomposed):
        client = Client(password=set_as).register()
        for typed in (composed, decomposed):
            Client(client.email, typed).log_in()
            assert Wire(HTTP).log_in(client.email, typed).key
            assert ask("POST", "/account/login", {"name": client.email, "password": typed}).status == 200
            assert client.post("/account/app-passwords", {"name": "x", "password": typed}).status == 201
        answer = client.post("/account/password", {"password": composed, "new_password": decomposed + "!"})
        assert answer.status == 204, answer
        Client(client.email, composed + "!").log_in()
    name = "plain-" + new_email().partition("@")[0]
    admin("user", "add", name, "--password-file", "-", stdin=decomposed + "\n")
    assert Wire(HTTP).log_in(name, composed).key


def s06_a_refresh_token_that_comes_twice_ends_the_session():
    client = Client().register()
    old = client.refresh_token
    client.refresh()
    answer = client.try_refresh(old)
    assert (answer.status, answer.detail) == (401, "Refresh token mismatch, please login again"), answer
    answer = client.try_refresh(client.refresh_token)
    assert (answer.status, answer.detail) == (401, "Refresh token not found, please login again"), answer
    answer = client.me()
    assert (answer.status, answer.detail) == (401, "Token has been revoked"), answer


def s07_of_ten_refreshes_at_once_one_wins_at_most():
    client = Client().register()
    answers = at_once(10, lambda _: client.try_refresh(client.refresh_token).status)
    assert answers.count(200) <= 1 and set(answers) <= {200, 401}, answers
    assert client.me().status == 401


def s08_two_devices_do_not_disturb_each_other():
    one = Client().register()
    two = one.another()
    for _ in range(3):
        one.refresh()
        two.refresh()
    assert one.post("/auth/logout").json == {"message": "logged out"}
    assert one.me().status == 401 and two.me().status == 200
    two.refresh()


def s09_a_logout_denies_the_access_token_at_once():
    client = Client().register()
    assert client.post("/auth/logout").status == 200
    for answer in at_once(8, lambda _: client.me()):
        assert (answer.status, answer.detail) == (401, "Token has been revoked"), answer
    assert client.post("/auth/logout").detail == "Token has been revoked"
    seconds = int(redis("ttl", "blacklist:" + claims_of(client.access)["jti"]))
    assert 0 < seconds <= 900, seconds
    assert client.try_refresh(client.refresh_token).detail == "Refresh token not found, please login again"


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def s10_only_our_own_access_tokens_are_accepted():
    client = Client().register()
    header, payload, signature = client.access.split(".")
    claims = claims_of(client.access)
    kid = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]

    def signed(header, claims, key=b"x" * 32):
        text = f"{encoded(header)}.{encoded(claims)}"
        return f"{text}.{encoded(hmac.new(key, text.encode(), hashlib.sha256).digest())}"
    bad = [
        "", "x", "a.b", "a.b.c", "....", payload, f"{header}.{payload}.", f"{header}.{payload}.{signature[:-2]}",
        f"{header}.{payload}.{signature[::-1]}", f"{header}.{encoded({**claims, 'sub': '1'})}.{signature}",
        f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{payload}.",
        f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{payload}.{signature}",
        signed({"alg": "HS256", "typ": "JWT", "kid": kid}, claims, kid.encode()),
        signed({"alg": "HS512", "typ": "JWT", "kid": kid}, claims),
        signed({"alg": "EdDSA", "typ": "JWT", "kid": "../../etc/passwd"}, claims),
        signed({"alg": "EdDSA", "typ": "JWT"}, claims), signed({"alg": "EdDSA", "kid": None}, claims),
        "a" * 5000, client.access + "x", client.access + "." + signature, client.access.replace(".", "", 1),
    ]
    for token in bad:
        answer = ask("GET", "/users/me", token=token)
        assert (answer.status, answer.detail) == (401, "Invalid token"), (token, answer)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for headers, text in (({}, "Not authenticated"), (basic(client.email, PASSWORD), "Not authenticated"),
                          ({"authorization": "Bearer"}, "Invalid token"), ({"authorization": ""}, "Not authenticated"),
                          ({"authorization": "Bearer " + client.refresh_token}, "Invalid token type")):
        answer = ask("GET", "/users/me", headers=headers)
        assert (answer.status, answer.detail) == (401, text), (headers, answer)
    assert ask("GET", "/users/me", headers={"authorization": "bEARER  " + client.access}).status == 200
    for token, text in ((client.access, "Invalid token type"), ("x.y.z", "Invalid token")):
        assert client.try_refresh(token).detail == text
    admin("user", "remove", client.email, "--yes")
    answer = until(lambda: client.me() if client.me().status == 401 else None, 2)
    assert answer.detail == "User not found", answer


def s11_a_disabled_account_is_told_so_only_with_its_password():
    client = Client().register()
    admin("user", "disable", client.email)
    answer = until(lambda: client.me() if client.me().status != 200 else None, 2)
    assert (answer.status, answer.detail) == (403, "Account is inactive"), answer
    answer = ask("POST", "/auth/login", client.credentials())
    assert (answer.status, answer.detail) == (403, "Account is inactive"), answer
    assert ask("POST", "/auth/login", {"email": client.email, "password": "wrong password"}).status == 401
    assert client.try_refresh(client.refresh_token).status == 403
    admin("user", "enable", client.email)
    assert client.try_refresh(client.refresh_token).status == 401
    client.log_in()


def a_revoked_device_is_refused_within_a_second_everywhere():
    client = Client().register()
    other = client.another()
    app_password = client.post("/account/app-passwords", {"name": "reader", "password": PASSWORD})
    assert app_password.status == 201, app_password
    wire = Wire(HTTP).log_in(client.email, PASSWORD)
    devices = {device["kind"]: device["id"] for device in client.get("/account/devices").json
               if not device["is_current"]}
    assert set(devices) == {"refresh", "app_password", "anki"}, devices
    with_password = basic(client.email, app_password.json["app_password"])
    assert ask("GET", "/account", headers=with_password).status == 200
    assert status_of(lambda: wire.ask("meta", {"v": 11, "cv": "x"})) == 200
    for device in devices.values():
        assert client.delete(f"/account/devices/{device}").status == 204
    begin = time.monotonic()
    refused = [lambda: other.me().status == 401, lambda: ask("GET", "/account", headers=with_password).status == 401,
               lambda: status_of(lambda: wire.again().ask("meta", {"v": 11, "cv": "x"})) == 403]
    for question in refused:
        # Every process refuses it, and goes on doing so.
        until(lambda q=question: all(at_once(8, lambda _: q())), 1.0 - (time.monotonic() - begin))
    assert other.try_refresh(other.refresh_token).status == 401
    assert client.me().status == 200
    client.refresh()


def only_a_session_is_ended_as_a_session():
    client = Client().register()
    app_password = client.post("/account/app-passwords", {"name": "reader", "password": PASSWORD}).json
    assert client.delete(f"/auth/sessions/{app_password['id']}").status == 404
    assert ask("GET", "/account", headers=basic("any", app_password["app_password"])).status == 200


def an_account_without_an_address_logs_in_by_its_name():
    name = "plain-" + new_email().partition("@")[0]
    admin("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")
    answer = ask("POST", "/account/login", {"name": name.upper(), "password": PASSWORD})
    assert answer.status == 200, answer
    assert ask("GET", "/users/me", token=answer.json["access_token"]).json["email"] == name
    answer = ask("POST", "/account/login", {"name": name, "password": "not this one"})
    assert (answer.status, answer.json["code"]) == (401, "bad_login"), answer


def nobody_takes_the_name_of_another_as_an_address():
    client, email = Client().register(), new_email()
    admin("user", "add", email, "--password-file", "-", stdin=PASSWORD + "\n")
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask(f"UPDATE users SET email = NULL WHERE name = '{email}'")  # of a program before addresses
    answer = client.post("/account/email", {"email": email, "password": PASSWORD})
    assert (answer.status, answer.json["code"]) == (409, "email_taken"), answer
    assert ask("POST", "/auth/register", {"email": email, "password": PASSWORD}).status == 409


def a_new_password_ends_the_other_sessions():
    client = Client().register()
    other = client.another()
    answer = client.post("/account/password", {"password": "not this one", "new_password": "another password"})
    assert (answer.status, answer.json["code"]) == (401, "bad_login"), answer
    answer = client.post("/account/password", {"password": PASSWORD, "new_password": "short"})
    assert (answer.status, answer.json["code"]) == (422, "string_too_short"), answer
    assert client.post("/account/password", {"password": PASSWORD, "new_password": "another password"}).status == 204
    assert client.me().status == 200 and other.me().status == 401
    assert other.try_refresh(other.refresh_token).status == 401
    assert ask("POST", "/auth/login", client.credentials()).status == 401
    Client(client.email, "another password").log_in()


def an_address_changes_with_the_password_only():
    client, taken = Client().register(), Client().register()
    new = new_email()
    assert client.post("/account/email", {"email": new, "password": "not this one"}).status == 401
    answer = client.post("/account/email", {"email": taken.email, "password": PASSWORD})
    assert (answer.status, answer.json["code"]) == (409, "email_taken"), answer
    answer = client.post("/account/email", {"email": new, "password": PASSWORD})
    assert answer.status == 200 and (answer.json["email"], answer.json["name"]) == (new, new), answer
    Client(new).log_in()
    assert ask("POST", "/auth/login", client.credentials()).status == 401


def a_device_is_renamed_by_its_owner_only():
    client, stranger = Client().register(), Client().register()
    device = client.get("/account/devices").json[0]["id"]
    assert client.patch(f"/account/devices/{device}", {"name": "my laptop"}).status == 204
    assert [d["name"] for d in client.get("/account/devices").json] == ["my laptop"]
    answer = ask("GET", "/account", headers=basic(client.email, PASSWORD))
    assert (answer.status, answer.json["code"]) == (401, "app_password_required"), answer
    for body in ({"name": "x"}, {"name": "x", "password": "not this one"}):
        assert client.post("/account/app-passwords", body).status in (401, 422), body
    for name in ("", "\u200b", "x" * 101, 5, None):
        assert client.patch(f"/account/devices/{device}", {"name": name}).status == 422, name
    for path in (f"/account/devices/{device + 1000000}", "/account/devices/x", "/account/devices/" + "9" * 30):
        assert client.patch(path, {"name": "x"}).status == 404
        assert stranger.delete(path).status == 404
    answer = ask("GET", "/account/devices", headers={})
    assert answer.status == 401 and answer.headers.get_all("WWW-Authenticate")[0].startswith("Bearer")


def a_deleted_account_can_be_kept_until_its_days_are_over():
    client = Client().register()
    assert client.post("/account/deletion", {"password": "not this one"}).status == 401
    answer = client.post("/account/deletion", {"password": PASSWORD})
    assert answer.status == 200 and answer.json["deletes_at"], answer
    assert client.get("/account").json["deletes_at"]
    assert client.delete("/account/deletion").json["deletes_at"] is None
    client.post("/account/deletion", {"password": PASSWORD})
    with Session(os.environ["DATABASE_URL"]) as db:
        db.ask(f"UPDATE users SET deletes_at = now() - interval '1 second' WHERE email = '{client.email}'")
        db.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn)"
               " VALUES ('account.remove_deleted', '{}', 100, 'queued', now(), 0); NOTIFY syncline_jobs")
        until(lambda: db.number(f"SELECT count(*) FROM users WHERE email = '{client.email}'") == 0, 30)
    assert client.me().status == 401


def an_export_holds_what_all_services_know():
    client = Client().register()
    wire = Wire(HTTP).log_in(client.email, PASSWORD)
    device = Device(wire)
    device.sync()
    device.add_note("of mine")
    device.sync()
    folder = Folder(wire)
    folder.put("a.jpg", b"picture")
    folder.sync()
    answer = client.get("/account/export")
    assert answer.status == 200, answer
    with zipfile.ZipFile(io.BytesIO(answer.body)) as export:
        assert export.testzip() is None
        account = json.loads(export.read("account/account.json"))
        assert account["account"]["email"] == client.email and len(account["devices"]) == 2, account
        assert json.loads(export.read("anime/list.json"))["entries"] == []
        assert b"<myanimelist>" in export.read("anime/list.xml")
        with zipfile.ZipFile(io.BytesIO(export.read("anki/collection.colpkg"))) as package:
            assert "collection.anki21b" in package.namelist() and "0" in package.namelist(), package.namelist()
    assert ask("GET", "/account/export").status == 401


def sessions_are_listed_and_ended():
    client = Client().register()
    other = client.another()
    sessions = client.get("/auth/sessions").json
    assert len(sessions) == 2 and [s["is_current"] for s in sessions] == [True, False], sessions
    assert client.delete(f"/auth/sessions/{sessions[1]['id']}").status == 204
    assert other.me().status == 401 and client.me().status == 200
    assert client.delete(f"/auth/sessions/{sessions[1]['id']}").status == 404
    third = client.another()
    assert client.post("/auth/logout-all").status == 200
    assert client.me().status == 401 and third.me().status == 401


def keys_rotate_without_a_failed_request():
    client = Client().register()
    old = client.access
    ended, failed = [], []

    def work(_):
        mine = client.another()
        count = 0
        while not ended:
            answers = [mine.me().status, ask("GET", "/users/me", token=old).status]
            if count % 5 == 0:
                answers.append(mine.try_refresh(mine.refresh_token))
                if answers[-1].status == 200:
                    mine.access, mine.refresh_token = answers[-1].json["access_token"], answers[-1].json["refresh_token"]
                answers[-1] = answers[-1].status
            failed.extend(status for status in answers if status != 200)
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        work_done = [pool.submit(work, n) for n in range(4)]
        kid = admin("keys", "rotate").split()[0]
        header = lambda token: json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
        try:
            until(lambda: header(client.another().access) == kid, 20, pause=0.5)
            time.sleep(1)
        finally:
            ended.append(True)
        count = sum(future.result() for future in work_done)
    assert failed == [] and count > 50, (failed[:5], count)
    return f"{count} rounds"


def jobs_are_seen_by_who_enqueued_them_only():
    client, stranger = Client().register(), Client().register()
    user = claims_of(client.access)["sub"]
    with Session(os.environ["DATABASE_URL"]) as db:
        add = ("INSERT INTO jobs (kind, user_id, args, priority, state, run_at, turn, is_shared)"
               " VALUES ('nobody.runs_it', {}, '{{}}', 0, 'waiting', now() + interval '1 hour', 0, {}) RETURNING job_id")
        own = db.number(add.format(user, "false"))
        shared = db.number(add.format("NULL", "true"))
        system = db.number(add.format("NULL", "false"))
        assert client.get(f"/jobs/{own}").json["state"] == "queued"
        assert stranger.get(f"/jobs/{own}").status == 404 and client.get(f"/jobs/{system}").status == 404
        assert client.get(f"/jobs/{shared}").status == 200 == stranger.get(f"/jobs/{shared}").status
        for path in ("x", "0", "-1", "9" * 30, "1.5"):
            assert client.get(f"/jobs/{path}").status == 404, path
        assert stranger.post(f"/jobs/{own}/cancel").status == 404
        answer = stranger.post(f"/jobs/{shared}/cancel")
        assert (answer.status, answer.json["code"]) == (403, "not_your_job"), answer
        assert ask("GET", f"/jobs/{own}").status == 401
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            events = [pool.submit(client.get, f"/jobs/{own}/events") for _ in range(2)]
            time.sleep(0.2)
            db.ask(f"UPDATE jobs SET progress_done = 3, progress_total = 7, progress_message = 'half' WHERE job_id = {own}")
            time.sleep(1)
            assert client.post(f"/jobs/{own}/cancel").json["state"] == "cancelled"
            for future in events:
                seen = future.result()
                assert seen.headers["Content-Type"] == "text/event-stream", seen.headers
                blocks = [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
                          for block in seen.body.decode().split("\n\n") if block.strip()]
                states = [(block["event"], json.loads(block["data"])["done"], json.loads(block["data"])["state"])
                          for block in blocks if "data" in block]
                assert states == [("progress", 0, "queued"), ("progress", 3, "queued"), ("end", 3, "cancelled")], states
        answer = client.post(f"/jobs/{own}/cancel")
        assert (answer.status, answer.json["code"]) == (409, "job_finished"), answer
        db.ask(f"DELETE FROM jobs WHERE job_id IN ({shared}, {system})")


if __name__ == "__main__":
    sys.exit(keep(s01_registering_logs_in, s02_an_address_registers_once, s03_invalid_registrations_show_no_password,
                  s04_a_wrong_login_tells_nothing, s05_all_bytes_of_a_password_count,
                  a_password_is_the_same_from_every_system,
                  s06_a_refresh_token_that_comes_twice_ends_the_session,
                  s07_of_ten_refreshes_at_once_one_wins_at_most, s08_two_devices_do_not_disturb_each_other,
                  s09_a_logout_denies_the_access_token_at_once, s10_only_our_own_access_tokens_are_accepted,
                  s11_a_disabled_account_is_told_so_only_with_its_password,
                  a_revoked_device_is_refused_within_a_second_everywhere, only_a_session_is_ended_as_a_session,
                  an_account_without_an_address_logs_in_by_its_name, nobody_takes_the_name_of_another_as_an_address,
                  a_new_password_ends_the_other_sessions,
                  an_address_changes_with_the_password_only, a_device_is_renamed_by_its_owner_only,
                  a_deleted_account_can_be_kept_until_its_days_are_over,
                  an_export_holds_what_all_services_know, sessions_are_listed_and_ended,
                  keys_rotate_without_a_failed_request, jobs_are_seen_by_who_enqueued_them_only))
