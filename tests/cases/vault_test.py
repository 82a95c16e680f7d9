#!/usr/bin/env python3
"""Vaults over HTTP: WebDAV, versions, encryption and upkeep, with what clients do and what nobody should.

SYNCLINE_HTTP, SYNCLINE_ADMIN and DATABASE_URL locate the server (`<dir>/env` of ./run).
"""

import base64
import concurrent.futures
import http.client
import io
import os
import pathlib
import secrets
import socket
import sys
import time
import urllib.parse
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from installation import admin, try_admin
from promises import keep, until
from rest_wire import PASSWORD, ask
from vault_wire import DOCUMENT, LOCK, SHARED, ZIPPED, Person, database, encrypted, run_sql, sha256, token_of, zipped

PROPFIND = b'<propfind xmlns="DAV:"><prop><getetag/><resourcetype/></prop></propfind>'


def the_desktop_checks_its_folder_and_uploads():
    me = Person()
    assert ask("PROPFIND", "/dav/aula-3/", b"", headers={**me.auth, "Depth": "1"}).status == 207
    assert ask("PROPFIND", "/dav/aula-3", b"", headers={**me.auth, "Depth": "0"}).status == 207
    assert ask("GET", "/dav/aula-3", headers=me.auth).status == 200
    assert me.dav("HEAD", "cordiax_sync/").status == 200
    first = database()
    assert me.dav("PUT", DOCUMENT, first).status == 201
    assert me.dav("PUT", DOCUMENT, first).status == 204
    one = me.versions(DOCUMENT)
    assert len(one) == 1 and one[0]["class"] == "sqlite-plain" and one[0]["state"] == "ok" and one[0]["sha256"] == sha256(first), one
    assert me.kinds() == ["upload_unchanged", "upload_ok"], me.kinds()
    assert me.dav("GET", DOCUMENT).body == first


def one_strong_tag_everywhere():
    me = Person()
    me.dav("PUT", "f", b"1")
    tag = me.dav("PUT", "f", b"2" * 5_000_000).headers["ETag"]
    assert tag.startswith('"v')
    assert me.dav("HEAD", "f").headers["ETag"] == tag == me.dav("GET", "f").headers["ETag"]
    assert tag.replace('"', "&quot;") in me.dav("PROPFIND", "f", PROPFIND, Depth="0").body.decode()
    assert me.dav("GET", "f", If_Match=tag).status == 200
    assert me.dav("GET", "f", If_Match=tag, Range="bytes=0-3").status == 206
    for method in ("GET", "HEAD"):
        assert me.dav(method, "f", If_None_Match=tag).status == 304
    assert me.dav("PUT", "f", b"3", If_None_Match=tag).status == 412
    assert me.dav("PUT", "f", b"3", If_None_Match="JoplinIgnore-12345").status == 204
    assert me.dav("PUT", "f", b"4", If_Match=tag).status == 412
    assert me.dav("PUT", "new", b"4", If_Match="*").status == 412 and me.dav("PUT", "f", b"4", If_None_Match="*").status == 412


def ranges_at_the_edges():
    me = Person()
    me.dav("PUT", "ten", b"0123456789")
    for header, wanted in (("-4", (206, b"6789")), ("-100", (206, b"0123456789")), ("5-1000", (206, b"56789")), ("10-", (416, None)),
                           ("7-3", (200, b"0123456789")), ("0-1,3-4", (200, b"0123456789"))):
        answer = me.dav("GET", "ten", Range=f"bytes={header}")
        assert answer.status == wanted[0] and wanted[1] in (None, answer.body), (header, answer)
    assert me.dav("HEAD", "ten", Range="bytes=0-3").headers["Content-Length"] == "10"


def deleted_then_moved_goes_on_with_its_history():
    me = Person()
    old, new = database(), database(2)
    me.dav("PUT", DOCUMENT, old)
    me.dav("PUT", "x.tmp", new)
    assert me.dav("DELETE", DOCUMENT).status == 204 and me.dav("GET", DOCUMENT).status == 404
    assert me.dav("MOVE", "x.tmp", Destination=me.url(DOCUMENT)).status == 201
    assert [one["sha256"] for one in me.versions(DOCUMENT)] == [sha256(new), sha256(old)]
    assert me.dav("GET", f".vault/versions/{DOCUMENT}/1").body == old
    listed = me.dav("PROPFIND", f".vault/versions/{DOCUMENT}", b"", Depth="1").body.decode()
    assert f"{DOCUMENT}/1</D:href>" in listed and f"{DOCUMENT}/2</D:href>" in listed, listed
    for path, wanted in ((".vault/", 207), (".vault/versions/", 207), (".vault/versions/cordiax_sync", 207), (".vault/other", 404),
                         (f".vault/versions/{DOCUMENT}/9", 404), (f".vault/versions/{DOCUMENT}/x", 404)):
        assert me.dav("PROPFIND", path, b"", Depth="1").status == wanted, path
    assert me.dav("GET", ".vault/versions/").status == 200
    for method in ("PUT", "MKCOL", "DELETE", "LOCK", "PROPPATCH"):
        assert me.dav(method, ".vault/x", b"" if method != "LOCK" else LOCK).status == 403, method
    assert me.dav("MOVE", DOCUMENT, Destination=me.url(".vault/x")).status == 403


def a_deleted_folder_comes_back_with_its_file():
    me = Person()
    me.dav("MKCOL", "a")
    me.dav("MKCOL", "a/b")
    me.dav("PUT", "a/b/f", b"one")
    version = me.versions("a/b/f")[0]["version"]
    assert me.dav("DELETE", "a/").status == 204
    assert me.vault("POST", f"/versions/{version}/restore").status == 201
    assert me.dav("GET", "a/b/f").body == b"one"
    assert me.vault(path=f"/versions/{version}/content").body == b"one"
    for path in ("/versions/999/content", "/versions?path=none"):
        assert me.vault(path=path).status == 404
    for call in ("restore", "resolve"):
        assert me.vault("POST", f"/versions/999/{call}").status == 404
    me.dav("DELETE", "a/b/f")
    me.dav("MKCOL", "a/b/f")
    assert me.vault("POST", f"/versions/{version}/restore").json["code"] == "name_taken"
    me.dav("DELETE", "a/b/f")
    me.dav("PUT", "a/b/f", b"two")
    me.dav("LOCK", "a/b/f", LOCK)
    assert me.vault("POST", f"/versions/{version}/restore").status == 423


def copies_and_moves_of_trees():
    me = Person()
    me.dav("MKCOL", "a")
    me.dav("MKCOL", "a/sub")
    me.dav("PUT", "a/f", b"f")
    me.dav("PUT", "a/sub/g", b"g")
    me.dav("PROPPATCH", "a/f", b'<propertyupdate xmlns="DAV:"><set><prop><x xmlns="urn:x">v</x></prop></set></propertyupdate>')
    assert me.dav("COPY", "a/", Destination=me.url("b/")).status == 201
    assert me.dav("COPY", "a/", Destination=me.url("b/"), Overwrite="F").status == 412
    assert me.dav("GET", "b/sub/g").body == b"g" and b">v<" in me.dav("PROPFIND", "b/f", b"", Depth="0").body
    # Onto what was there: its names go, and come back as those of the source.
    assert me.dav("MOVE", "a/", Destination=me.url("b/")).status == 204
    assert me.dav("GET", "b/sub/g").body == b"g" and me.dav("GET", "a/f").status == 404
    assert b">v<" in me.dav("PROPFIND", "b/f", b"", Depth="0").body
    for destination, wanted in (("b/", 403), ("b/sub/c", 403), ("none/c", 409)):
        assert me.dav("MOVE", "b/", Destination=me.url(destination)).status == wanted, destination
    assert me.dav("MOVE", "b/sub/g", Destination=me.url("b")).status == 403
    assert me.dav("MOVE", "none", Destination=me.url("c")).status == 404
    assert me.dav("COPY", "b/", Destination=me.url("flat"), Depth="0").status == 201 and me.dav("GET", "flat/f").status == 404
    assert me.dav("COPY", "b/", Destination=me.url("c"), Depth="1").status == 400
    assert me.dav("COPY", "b/", Destination=me.url("c"), Overwrite="X").status == 400
    assert me.dav("COPY", "b/").status == 400
    assert me.dav("DELETE", "").status == 403


def destinations_in_all_their_spellings():
    me = Person()
    base = urllib.parse.urlsplit(me.url("x"))
    for destination, wanted in ((f"https://{base.netloc}{base.path}", 201), (f"http://{base.netloc}{base.path}", 204),
                                (f"https://{base.hostname.upper()}:443{base.path}", 204), (base.path, 204),
                                (f"http://me@{base.netloc}{base.path}", 204), ("/dav/aula-3/%c3%bc", 201), ("/dav/aula-3/%C3%BC", 204),
                                ("/dav/aula-3/a+b", 201), (f"{base.path}?q", 400), (f"{base.path}#f", 400), ("ftp://x/y", 400),
                                (f"http://elsewhere{base.path}", 502), ("/dav/other/x", 502), ("/dav/aula-3/%2e%2e/x", 400)):
        me.dav("PUT", "t.tmp", b"t")
        assert me.dav("MOVE", "t.tmp", Destination=destination).status == wanted, destination
    assert me.dav("GET", "a+b").status == 200 and me.dav("GET", "%C3%BC").status == 200


def names_that_xml_cannot_hold_are_refused_at_every_door():
    me = Person()
    me.dav("PUT", "good", b"1")
    for name in ("%EF%BF%BE", "%EF%BF%BF", "%0B", "%ED%A0%80", "%5C", "a" * 256, "%7F"):
        for method, body in (("PUT", b"x"), ("MKCOL", b""), ("LOCK", LOCK)):
            assert me.dav(method, name, body).status == 400, (method, name)
        assert me.dav("COPY", "good", Destination=me.url(name)).status == 400, name
    for path, wanted in (("a%2F..%2Fb", 400), ("%2e%2e", 400), ("%00", 400), ("/".join(["a" * 200] * 6), 400)):
        assert me.dav("GET", path).status == wanted, path
    assert Person("other").dav("GET", "../aula-3/good").status in (400, 404)
    assert me.dav("PROPPATCH", "good", b'<propertyupdate xmlns="DAV:"><set><prop><displayname>&#xFFFE;</displayname></prop></set>'
                                       b'</propertyupdate>').status == 400
    assert me.dav("PROPFIND", "", b"", Depth="1").body.count(b"<D:response>") == 3


def xml_bodies_are_bounded():
    me = Person()
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><propfind xmlns="DAV:"><prop><x>&b;</x></prop></propfind>'
    deep = b'<propfind xmlns="DAV:"><prop>' + b"<a>" * 70 + b"</a>" * 70 + b"</prop></propfind>"
    for body, wanted in ((bomb, 400), (deep, 400), (b"<foo>", 400), (b"x" * (5 << 20), 413),
                         (b'<propfind xmlns="DAV:"/>', 400), (b'<D:propfind xmlns:D="DAV:"><D:prop xmlns:bar=""/></D:propfind>', 400)):
        assert me.dav("PROPFIND", "", body, Depth="0").status == wanted, body[:50]
    assert me.dav("PROPFIND", "", b"").status == 403
    assert me.dav("PROPFIND", "", b"", Depth="2").status == 400
    for body in (LOCK.replace(b"exclusive", b"x"), b"<x/>"):
        assert me.dav("LOCK", "f", body).status == 400
    assert me.dav("PROPPATCH", "cordiax_sync", b'<propertyupdate xmlns="DAV:"/>').status == 400


def properties_all_or_none():
    me = Person()
    me.dav("PUT", "f", b"1")
    update = b'<propertyupdate xmlns="DAV:" xmlns:q="urn:q"><set><prop><q:a>1</q:a><getetag>x</getetag></prop></set></propertyupdate>'
    answer = me.dav("PROPPATCH", "f", update)
    assert answer.status == 207 and b"424" in answer.body and b"403" in answer.body
    assert b"urn:q" not in me.dav("PROPFIND", "f", b"", Depth="0").body
    many = b"".join(b"<q:a%d>1</q:a%d>" % (n, n) for n in range(201))
    assert me.dav("PROPPATCH", "f", update.replace(b"<q:a>1</q:a><getetag>x</getetag>", many)).status == 507
    big = b"<q:a>" + b"x" * 70_000 + b"</q:a>"
    assert me.dav("PROPPATCH", "f", update.replace(b"<q:a>1</q:a><getetag>x</getetag>", big)).status == 507
    fine = update.replace(b"<getetag>x</getetag>", b"<displayname>Shown</displayname>")
    assert me.dav("PROPPATCH", "f", fine).status == 207
    names = me.dav("PROPFIND", "f", b'<propfind xmlns="DAV:"><propname/></propfind>', Depth="0").body
    assert b"urn:q" in names and b">1<" not in names
    assert b"Shown" in me.dav("PROPFIND", "", b"", Depth="1").body
    quota = b'<propfind xmlns="DAV:"><prop><quota-used-bytes/><quota-available-bytes/></prop></propfind>'
    assert b"<D:quota-used-bytes>1</D:quota-used-bytes>" in me.dav("PROPFIND", "", quota, Depth="0").body
    assert me.dav("PROPPATCH", "none", fine).status == 404
    assert b"/dav/aula-3/" in ask("PROPFIND", "/dav/", b"", headers={**me.auth, "Depth": "1"}).body


def locks_and_their_tokens():
    me = Person()
    made = me.dav("LOCK", "f", LOCK, Timeout="Second-100")
    token = token_of(made)
    assert made.status == 201 and b"Second-100" in made.body and b">me<" in made.body
    assert me.dav("HEAD", "f").headers["Content-Length"] == "0" and not me.versions()
    for method, headers in (("PUT", {}), ("DELETE", {}), ("LOCK", {}), ("PUT", {"If": "(<urn:uuid:x>) (Not <DAV:no-lock>)"})):
        assert me.dav(method, "f", LOCK if method == "LOCK" else b"x", **headers).status == 423, method
    assert me.dav("PUT", "f", b"x", If="(<DAV:no-lock>)").status == 412
    assert me.dav("PUT", "f", b"x", If="(<" + token).status == 400
    assert me.dav("PUT", "f", b"x", If=f"<{me.url('f')}> (<{token}>)").status == 204
    assert me.dav("LOCK", "f", b"", If=f"(<{token}>)").status == 200
    assert me.dav("LOCK", "f", b"", If="(Not <DAV:x>)").status == 412
    assert me.dav("LOCK", "f", b"").status == 400
    assert me.dav("UNLOCK", "f").status == 400
    assert me.dav("UNLOCK", "f", Lock_Token="<urn:uuid:x>").status == 409
    assert me.dav("UNLOCK", "f", Lock_Token=f"<{token}>").status == 204
    one, two = me.dav("LOCK", "f", SHARED), me.dav("LOCK", "f", SHARED)
    assert (one.status, two.status, me.dav("LOCK", "f", LOCK).status) == (200, 200, 423)
    assert me.dav("PUT", "f", b"y", If=f"(<{token_of(two)}>)").status == 204
    # Of a collection, for all that is in it.
    me.dav("MKCOL", "c")
    me.dav("PUT", "c/g", b"1")
    whole = token_of(me.dav("LOCK", "c/", LOCK, Depth="infinity"))
    for method, path in (("PUT", "c/g"), ("PUT", "c/new"), ("MKCOL", "c/d"), ("DELETE", "c/g"), ("DELETE", "c")):
        assert me.dav(method, path, b"" if method != "PUT" else b"2").status == 423, (method, path)
    assert me.dav("PUT", "c/new", b"2", If=f"<{me.url('c/')}> (<{whole}>)").status == 201
    assert b"lockdiscovery><D:activelock" in me.dav("PROPFIND", "c", b"", Depth="1").body
    assert me.dav("LOCK", "x", LOCK, Depth="1").status == 400 and me.dav("LOCK", "none/x", LOCK).status == 409
    run_sql(f"UPDATE vault_locks SET expires_at = now() - interval '1 second' WHERE token = '{whole}'")
    assert me.dav("PUT", "c/g", b"3").status == 204


def a_counter_raised_by_a_hundred_writers_loses_nothing():
    me = Person()
    me.dav("PUT", "counter", b"0")

    def raise_it(_):
        now = me.dav("GET", "counter")
        if now.status != 200:
            return 0
        return int(me.dav("PUT", "counter", str(int(now.body) + 1).encode(), If_Match=now.headers["ETag"]).status == 204)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        acknowledged = sum(pool.map(raise_it, range(100)))
    assert int(me.dav("GET", "counter").body) == acknowledged > 0, acknowledged
    return f"{acknowledged} acknowledged"


def two_desktops_in_turns_lose_nothing():
    me = Person()
    devices = [me.auth, me.another_device()]
    sent = []
    for turn in range(20):
        sent.append(database())
        assert me.dav("PUT", DOCUMENT, sent[-1], auth=devices[turn % 2]).status in (201, 204)
    versions = me.versions(DOCUMENT)
    assert [one["sha256"] for one in reversed(versions)] == [sha256(one) for one in sent]
    assert [one["state"] for one in versions] == ["ok"] + ["conflict"] * 19, versions
    assert me.vault("POST", f"/versions/{versions[-1]['version']}/resolve").status == 204
    assert me.versions(DOCUMENT)[-1]["state"] == "ok" and me.kinds().count("upload_conflict") == 19
    # A temporary file that is moved over it counts, too.
    me.dav("PUT", "x.tmp", database(), auth=devices[0])
    assert me.dav("MOVE", "x.tmp", auth=devices[0], Destination=me.url(DOCUMENT)).status == 204
    assert me.versions(DOCUMENT)[1]["state"] == "conflict"


def what_is_not_good_never_replaces_what_is():
    me = Person()
    good = database(5)
    me.dav("PUT", DOCUMENT, good)
    older = database(1)
    for content, state in ((b"", "empty"), (good[:-100], "suspect"), (b"no database at all", "suspect"), (older, "suspect")):
        assert me.dav("PUT", DOCUMENT, content).status == 204
        assert me.dav("GET", DOCUMENT).body == good and me.versions(DOCUMENT)[0]["state"] == state, state
    assert me.kinds().count("upload_warning") == 4
    whole = zipped([("cordiax.db", good), ("documentos/acta ñ.docx", b"text"), ("pdfs/a b.pdf", b"pdf")])
    assert me.dav("PUT", ZIPPED, whole).status == 201
    assert me.versions(ZIPPED)[0]["entries"] == 3 and me.versions(ZIPPED)[0]["state"] == "ok"
    for content, state in ((zipped([("documentos/a", b"x")]), "partial"), (whole[:-30], "suspect"), (b"no zip", "suspect")):
        me.dav("PUT", ZIPPED, content)
        assert me.dav("GET", ZIPPED).body == whole and me.versions(ZIPPED)[0]["state"] == state, state


def dangerous_zips_are_refused():
    me = Person()
    with_database = ("cordiax.db", database())
    begin = time.monotonic()
    for content in (zipped([with_database, ("big", b"\0" * (60 << 20))]), zipped([("../../x", b"x")]), zipped([with_database, with_database]),
                    zipped([(f"{n}", b"") for n in range(20_001)]), zipped([("/etc/x", b"x")])):
        answer = me.dav("PUT", ZIPPED, content)
        assert answer.status == 422 and answer.body.isascii(), answer
    assert time.monotonic() - begin < 10 and not me.versions()


def nothing_plain_gets_into_an_encrypted_vault():
    me = Person()
    assert me.vault("PUT", "/encryption", {"required": True}).json["encryption"] == "required"
    assert me.vault("PUT", "/encryption", {"required": True}).status == 200
    plain = database()
    nested = zipped([("inner.zip", zipped([("cordiax.db", plain)]))])
    blobs = run_sql("SELECT count(*) FROM blobs WHERE sha256 IS NOT NULL")
    for path, content in ((DOCUMENT, plain), ("any.bin", plain), (f"{DOCUMENT}-wal", b"\x37\x7f\x06\x82" + plain), (DOCUMENT, b"other" * 40),
                          (ZIPPED, zipped([("cordiax.db", plain)])), (ZIPPED, zipped([("cordiax.db", plain)], stored=True)),
                          (ZIPPED, nested), ("x.gz", b"\x1f\x8b" + b"x" * 100), (DOCUMENT, encrypted()[:-1]),
                          (ZIPPED, zipped([("cordiax.db", encrypted())])[:-10])):
        answer = me.dav("PUT", path, content)
        assert answer.status == 422 and answer.body.isascii() and answer.body.endswith(b"\n"), (path, answer)
    assert run_sql("SELECT count(*) FROM blobs WHERE sha256 IS NOT NULL") == blobs and not me.versions()
    assert me.kinds().count("upload_refused") == 10
    good = encrypted()
    assert me.dav("PUT", DOCUMENT, good).status == 201
    assert me.versions(DOCUMENT)[0]["class"] == "cordiax-fernet" and me.versions(DOCUMENT)[0]["client_token_at"]
    assert me.dav("PUT", ZIPPED, zipped([("cordiax.db", encrypted()), ("documentos/a.txt", b"x")])).status == 201
    assert me.dav("PUT", "other.bin", b"something").status == 201
    for method in ("COPY", "MOVE"):
        assert me.dav(method, "other.bin", Destination=me.url(DOCUMENT)).status == 422, method
    assert me.dav("GET", DOCUMENT).body == good
    me.vault("PATCH", "", {"documents_policy": "reject"})
    assert me.dav("PUT", "more.bin", b"something").status == 422
    assert me.vault("PUT", "/encryption", {"required": False}).status == 422
    assert until(lambda: me.vault("PUT", "/encryption", {"required": False, "password": "wrong"}).status in (401, 403) or None, 60, pause=1)
    switched = until(lambda: next((a for a in [me.vault("PUT", "/encryption", {"required": False, "password": PASSWORD})]
                                   if a.status != 429), None), 60, pause=1)
    assert switched.json["encryption"] == "off", switched


def nothing_of_refused_plaintext_is_on_a_disk():
    me = Person()
    me.vault("PUT", "/encryption", {"required": True})
    marker = secrets.token_hex(16).encode()
    plain = database()[:4096] + marker * 100_000
    inner = zipped([("cordiax.db", plain)], stored=True)
    for path, content in ((DOCUMENT, plain), (ZIPPED, inner), (ZIPPED, zipped([("in.zip", inner)], stored=True)),
                          (ZIPPED, zipped([("a", b"x" * (3 << 20)), ("cordiax.db", plain)], stored=True))):
        assert me.dav("PUT", path, content).status == 422, path
    for file in pathlib.Path(os.environ["SYNCLINE_DIR"]).rglob("*"):
        try:
            assert not file.is_file() or marker not in file.read_bytes(), file
        except (FileNotFoundError, PermissionError):
            pass


def switching_on_waits_until_plaintext_is_destroyed():
    me = Person()
    me.dav("PUT", DOCUMENT, database())
    me.dav("PUT", DOCUMENT, encrypted())
    assert me.vault("PUT", "/encryption", {"required": True}).json["code"] == "plaintext_versions"
    listed = me.vault(path="/versions?plaintext=true").json["versions"]
    assert len(listed) == 1 and listed[0]["has_plaintext"]
    assert me.vault("POST", "/purge", {"confirm": "wrong", "plaintext": True}).status == 409
    assert me.vault("POST", "/purge", {"confirm": me.slug, "plaintext": True}).json == {"purged": 1}
    assert me.vault("PUT", "/encryption", {"required": True}).status == 200
    # The head goes, too, if it is asked for; the one before takes its place.
    me.dav("PUT", DOCUMENT, encrypted())
    head, before = me.versions(DOCUMENT)
    assert me.vault("POST", "/purge", {"confirm": me.slug, "versions": [head["version"], 999]}).json == {"purged": 1}
    assert sha256(me.dav("GET", DOCUMENT).body) == before["sha256"]
    assert me.vault().json["used_bytes"] == before["size_bytes"]


def cut_uploads_leave_nothing():
    me = Person()
    me.dav("PUT", "f", b"old")
    base = urllib.parse.urlsplit(os.environ["SYNCLINE_HTTP"])
    auth = me.auth["authorization"]
    for head, body in ((f"Content-Length: {2 << 20}", b"x" * (1 << 20)), ("Transfer-Encoding: chunked", b"100000\r\n" + b"x" * 0x80000)):
        with socket.create_connection((base.hostname, base.port)) as line:
            line.sendall(f"PUT /dav/aula-3/f HTTP/1.1\r\nHost: x\r\nAuthorization: {auth}\r\n{head}\r\n\r\n".encode() + body)
            time.sleep(0.3)
    time.sleep(0.5)
    assert me.dav("GET", "f").body == b"old" and len(me.versions("f")) == 1
    # Chunked, whole.
    connection = http.client.HTTPConnection(base.hostname, base.port)
    connection.request("PUT", "/dav/aula-3/f", iter([b"a" * 70_000, b"b"]), {**me.auth, "Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().status == 204 and len(me.dav("GET", "f").body) == 70_001


def logins_in_all_their_forms():
    name = Person().name
    word = "Grüße:1 lang"
    admin("user", "password", name, "--password-file", "-", "--keep-devices", stdin=word + "\n")

    def log_in(raw):
        return ask("PROPFIND", "/dav/", b"", headers={"authorization": "Basic " + base64.b64encode(raw).decode(), "Depth": "0"}).status
    for raw in (f"{name}:{word}".encode(), f"{name}:{word}".encode("latin-1"), f"HOST\\{name}:{word}".encode(),
                f"{name}:Gru\u0308ße:1 lang".encode()):
        assert until(lambda raw=raw: log_in(raw) == 207 or None, 30, pause=1), raw
    assert log_in(f"{name}:\xff\xfe".encode("latin-1")) in (401, 429)
    assert ask("GET", "/dav/aula-3/", headers={"authorization": "Bearer x"}).status == 401
    assert ask("PROPFIND", "/dav/", b"").headers["WWW-Authenticate"] == 'Basic realm="vault", charset="UTF-8"'
    for path in ("/", "/dav/", "/dav/aula-3", "/dav/aula-3/x"):
        answer = ask("OPTIONS", path)
        assert answer.status == 200 and answer.headers["DAV"] == "1, 2" and answer.headers["MS-Author-Via"] == "DAV", (path, answer)


def methods_and_bodies_that_do_not_fit():
    me = Person()
    for method, path, body, wanted in (("POST", "x", b"x", 405), ("PATCH", "x", b"x", 405), ("PUT", "x/", b"x", 405), ("MKCOL", "x", b"x", 415),
                                       ("MKCOL", "no/x", b"", 409), ("PUT", "cordiax_sync", b"x", 405), ("DELETE", "none", b"", 404)):
        assert me.dav(method, path, body).status == wanted, (method, path)
    assert me.dav("PUT", "x", b"x", Content_Range="bytes 0-0/2").status == 400
    assert me.dav("GET", "").status == 200 and b"cordiax_sync/" in me.dav("GET", "").body


def quotas_hold():
    me = Person()
    me.vault("PATCH", "", {"max_bytes": 1000})
    assert me.dav("PUT", "a", b"x" * 900).status == 201
    assert me.dav("PUT", "b", b"y" * 200).status == 507
    assert me.vault("PATCH", "", {"max_bytes": 0}).json["max_bytes"] is None
    admin("user", "quota", me.name, "1")
    assert me.dav("PUT", "b", b"y" * (2 << 20)).status == 507
    assert me.vault().json["used_bytes"] == 900 and "upload_refused" in me.kinds()


def upkeep_removes_what_is_old_and_nothing_else():
    me = Person()
    for n in range(5):
        me.dav("PUT", "f", b"%d" % n)
    me.dav("PUT", DOCUMENT, database())
    me.dav("PUT", DOCUMENT, database(), auth=me.another_device())
    me.dav("PUT", "gone", b"gone")
    me.dav("DELETE", "gone")
    me.dav("LOCK", "locked", LOCK)
    me.vault("PATCH", "", {"keep_versions": 2, "keep_days": 3})
    mine = f"user_id = (SELECT user_id FROM users WHERE name = '{me.name}')"
    run_sql(f"UPDATE vault_versions SET created_at = now() - interval '10 days' WHERE {mine};"
            f"UPDATE vault_nodes SET deleted_at = now() - interval '10 days' WHERE deleted_at IS NOT NULL AND {mine};"
            f"UPDATE vault_locks SET expires_at = now() - interval '1 day' WHERE {mine};"
            f"UPDATE vault_events SET at = now() - interval '400 days' WHERE {mine};"
            "INSERT INTO jobs (kind, args, priority, state, run_at, turn) VALUES ('vault.upkeep', '{}', 0, 'queued', now(), 0);"
            "NOTIFY syncline_jobs")
    until(lambda: run_sql("SELECT count(*) FROM jobs WHERE kind = 'vault.upkeep' AND state NOT IN ('done', 'cancelled')") == "0", 60)
    assert [one["seq"] for one in me.versions("f")] == [5], me.versions("f")
    assert len(me.versions(DOCUMENT)) == 2 and me.dav("GET", "f").body == b"4" and not me.kinds()
    for table in ("vault_locks", "vault_nodes WHERE name = 'gone' AND true"):
        where = " AND " if "WHERE" in table else " WHERE "
        assert run_sql(f"SELECT count(*) FROM {table}{where}{mine}") == "0", table
    used = run_sql(f"SELECT used_bytes = (SELECT sum(size_bytes) FROM vault_versions WHERE {mine}) FROM vaults WHERE {mine}")
    assert used == "t"


def commands_do_the_same():
    me = Person()
    assert "made" in admin("vault", "create", me.name, "made", "--name", "By command")
    me.dav("PUT", "f", b"one")
    me.dav("PUT", DOCUMENT, database())
    assert "sqlite-plain" in admin("vault", "versions", me.name, me.slug)
    assert "versions_kept" in admin("vault", "set", me.name, me.slug, "--keep-versions", "7").lower().replace(" ", "_")
    assert try_admin("vault", "set", me.name, me.slug, "--encryption", "required")[0] == 1
    assert "is back" in admin("vault", "restore", me.name, me.slug, str(me.versions("f")[0]["version"]))
    assert "destroyed 1 version" in admin("vault", "purge", me.name, me.slug, "--plaintext", "--yes")
    assert "required" in admin("vault", "set", me.name, me.slug, "--encryption", "required")
    assert "destroyed 1 version" in admin("vault", "purge", me.name, me.slug, str(me.versions("f")[0]["version"]), "--yes")
    assert try_admin("vault", "purge", me.name, me.slug)[0] == 2 and try_admin("vault", "events", me.name, "none")[0] == 1
    assert "encryption_on" in admin("vault", "events", me.name, me.slug) and me.slug in admin("vault", "list", me.name)


def an_account_takes_its_files_along():
    me = Person()
    me.dav("PUT", "cordiax_sync/a", b"kept")
    answer = me.api("GET", "/account/export")
    assert answer.status == 200, answer
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.read("vault/aula-3/cordiax_sync/a") == b"kept", archive.namelist()


TESTS = (the_desktop_checks_its_folder_and_uploads, one_strong_tag_everywhere, ranges_at_the_edges,
         deleted_then_moved_goes_on_with_its_history, a_deleted_folder_comes_back_with_its_file, copies_and_moves_of_trees,
         destinations_in_all_their_spellings, names_that_xml_cannot_hold_are_refused_at_every_door, xml_bodies_are_bounded,
         properties_all_or_none, locks_and_their_tokens, a_counter_raised_by_a_hundred_writers_loses_nothing,
         two_desktops_in_turns_lose_nothing, what_is_not_good_never_replaces_what_is, dangerous_zips_are_refused,
         nothing_plain_gets_into_an_encrypted_vault, nothing_of_refused_plaintext_is_on_a_disk,
         switching_on_waits_until_plaintext_is_destroyed, cut_uploads_leave_nothing,
         logins_in_all_their_forms, methods_and_bodies_that_do_not_fit, quotas_hold, upkeep_removes_what_is_old_and_nothing_else,
         commands_do_the_same, an_account_takes_its_files_along)

if __name__ == "__main__":
    sys.exit(keep(*TESTS))
