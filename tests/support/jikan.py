"""A stand-in for the Jikan API, version 4, on this machine: the real client talks to it unchanged.

    with Jikan() as jikan:                       # jikan.url is for the setting anime_jikan_url
        jikan.rule({"match": {"path": "^/v4/anime/90321"}, "times": 4, "action": {"kind": "status", "code": 500}})
        ...
        assert jikan.violations() == [] and jikan.count("/v4/anime/90321") == 5

As a program it prints its two addresses, the API's and that of the control API, and runs until its input ends:

    python3 tests/support/jikan.py [--strict] [--second S] [--minute S] [--clock N]

It is faithful in the form of its answers (bodies as PHP writes them, headers, errors, paging, validation) and in its
limits of 3 requests per second and 60 per minute, which answer 429, or, when strict, count as violations. Titles are
made from a seed; none of them exists. `clock` divides the seconds of all faults, so that ten minutes of an outage take ten
seconds with 60. Left out on purpose: TLS, the search engine's ranking, every part of the API that we do not call.

Control API: POST /ctl/rules adds a rule, DELETE /ctl/rules removes all; GET /ctl/log; GET /ctl/violations;
GET /ctl/peak?ms=N: the most requests in any N milliseconds; POST /ctl/data {id: members to replace}; POST /ctl/reset.

A rule: {"match": {"path": regular expression, "method": ...}, "times": -1, "after": 0, "probability": 1, "action": {...}};
the first one that matches and is not used up wins. The kinds of actions are the methods of Faults.
"""

import argparse
import collections
import datetime
import email.utils
import gzip
import hashlib
import http.server
import json
import os
import random
import re
import socket
import socketserver
import sys
import threading
import time
import urllib.parse
import zlib

DAY = 86_400
GENRES = {  # id: (kind, name)
    1: ("genres", "Action"), 2: ("genres", "Adventure"), 3: ("themes", "Racing"), 4: ("genres", "Comedy"),
    6: ("themes", "Mythology"), 8: ("genres", "Drama"), 9: ("explicit_genres", "Ecchi"), 10: ("genres", "Fantasy"),
    15: ("demographics", "Kids"), 22: ("genres", "Romance"), 24: ("genres", "Sci-Fi"), 26: ("genres", "Girls Love"),
    28: ("genres", "Boys Love"), 36: ("genres", "Slice of Life"), 39: ("themes", "Detective"), 41: ("genres", "Suspense"),
    42: ("demographics", "Seinen"), 48: ("themes", "Workplace"), 63: ("themes", "Iyashikei"),
}
SEASONS = ("winter", "spring", "summer", "fall")
TYPES = ("TV", "TV", "TV", "Movie", "OVA", "ONA", "Special", "Music", "TV Special", "CM", "PV")
STATUSES = {"complete": "Finished Airing", "airing": "Currently Airing", "upcoming": "Not yet aired"}
FIRST_ID, TITLES = 90_001, 300
PAGE = 25
# The query of /anime: allowed words; None: any.
SEARCH_WORDS = {
    "type": {"tv", "movie", "ova", "special", "ona", "music", "cm", "pv", "tv_special"}, "status": set(STATUSES),
    "order_by": {"mal_id", "title", "start_date", "end_date", "episodes", "score", "scored_by", "rank", "popularity", "members",
                 "favorites"},
    "sort": {"asc", "desc"}, "filter": {"airing", "upcoming", "bypopularity", "favorite"},
}


def php(value):
    """JSON as PHP writes it: compact, escaped slashes, nothing but ASCII."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()


def named(mal_id, kind, name):
    return {"mal_id": mal_id, "type": "anime", "name": name,
            "url": f"https://myanimelist.net/anime/{kind}/{mal_id}/{name.replace(' ', '_')}"}


def title(mal_id, rng):
    """One invented title, with the properties of a real answer."""
    words = ["Harbour", "Paper", "Crane", "Lantern", "Orbit", "Salt", "Winter", "Copper", "Garden", "Signal", "Tide", "Moth"]
    name = " ".join(rng.sample(words, 3))
    kind, year, season = rng.choice(TYPES), rng.randint(1985, 2025), rng.randrange(4)
    start = datetime.date(year, season * 3 + 1, rng.randint(1, 28))
    end = start + datetime.timedelta(days=77)
    status = rng.choice(list(STATUSES.values()))
    chosen = rng.sample(sorted(GENRES), 4)
    titles = [{"type": "Default", "title": f"{name} no Minato"}, {"type": "Synonym", "title": f"{name} Port"},
              {"type": "Japanese", "title": f"\u6298\u308a\u9db4\u306e\u6e2f {mal_id}"}, {"type": "English", "title": name}]

    def date(day):
        return {"day": day.day, "month": day.month, "year": day.year}

    item = {
        "mal_id": mal_id, "url": f"https://myanimelist.net/anime/{mal_id}/{name.replace(' ', '_')}",
        "images": {form: {"image_url": f"https://cdn.example/{mal_id}.{form}", "small_image_url": f"https://cdn.example/{mal_id}t.{form}",
                          "large_image_url": None} for form in ("jpg", "webp")},
        "trailer": {"youtube_id": None, "url": None, "embed_url": None,
                    "images": {f"{size}image_url": None for size in ("", "small_", "medium_", "large_", "maximum_")}},
        "approved": True, "titles": titles, "title": titles[0]["title"], "title_english": name, "title_japanese": titles[2]["title"],
        "title_synonyms": [titles[1]["title"]], "type": kind, "source": "Original", "episodes": rng.randint(1, 26), "status": status,
        "airing": status == "Currently Airing",
        "aired": {"from": f"{start}T00:00:00+00:00", "to": f"{end}T00:00:00+00:00", "prop": {"from": date(start), "to": date(end)},
                  "string": f"{start:%b} {start.day}, {start.year} to {end:%b} {end.day}, {end.year}"},
        "duration": "24 min per ep", "rating": "PG-13 - Teens 13 or older",
        "score": round(rng.uniform(4, 9.5), 2), "scored_by": rng.randint(100, 900_000), "rank": rng.randint(1, 20_000),
        "popularity": rng.randint(1, 20_000), "members": rng.randint(100, 2_000_000), "favorites": rng.randint(0, 90_000),
        "synopsis": f"A ferry pilot folds one crane for every passenger of {name}\u2026", "background": "",
        "season": SEASONS[season] if kind == "TV" else None, "year": year if kind == "TV" else None,
        "broadcast": {"day": "Saturdays", "time": "23:00", "timezone": "Asia/Tokyo", "string": "Saturdays at 23:00 (JST)"},
        "producers": [], "licensors": [], "studios": [named(9911, "producer", "Studio Lantern")],
        **{key: [named(genre, "genre", GENRES[genre][1]) for genre in chosen if GENRES[genre][0] == key]
           for key in ("genres", "explicit_genres", "themes", "demographics")},
    }
    if mal_id % 10 == 0:  # unknown
        item["score"] = None if mal_id % 20 == 0 else 0
    return item


# The odd ones, by id: what they replace in an ordinary title.
ODD = {
    91_001: {"title": "L" * 400, "titles": [{"type": "Default", "title": "L" * 400}]},
    91_002: {"title_english": "", "titles": [{"type": "Default", "title": "Empty English"}, {"type": "English", "title": ""}]},
    91_003: {"images": None},
    91_004: {"genres": None, "themes": None},
    91_005: {"genres": [named(8, "genre", "Drama"), named(8, "genre", "Drama")]},
    91_006: {"genres": [{"type": "anime", "name": "Drama"}, named(1, "genre", "Action")]},
    91_007: {"year": 1917, "aired": {"from": "1917-02-01T00:00:00+00:00", "to": None,
                                     "prop": {"from": {"day": 1, "month": 2, "year": 1917}, "to": {"day": None, "month": None, "year": None}},
                                     "string": "Feb 1, 1917"}},
    91_008: {"year": 2101, "season": "spring"},
    91_009: {"title": "\U0001f3ef Tigers", "titles": [{"type": "Default", "title": "\U0001f3ef Tigers"}]},
    91_010: {"title": "\u0645\u0631\u062d\u0628\u0627", "titles": [{"type": "Default", "title": "\u0645\u0631\u062d\u0628\u0627"}]},
    91_011: {"year": None, "season": None,
             "aired": {"from": None, "to": None, "prop": {"from": {"day": None, "month": None, "year": None}, "to": None}, "string": "?"}},
    91_012: {"status": "Hiatus"},
    91_013: {"approved": False},
    91_014: {"episodes": 12.0},
    91_015: {"synopsis": "Long. " * 500_000},
    91_016: {"season": "winter", "year": None,
             "aired": {"from": "2024-12-28T00:00:00+00:00", "to": None,
                       "prop": {"from": {"day": 28, "month": 12, "year": 2024}, "to": {"day": None, "month": None, "year": None}},
                       "string": "Dec 28, 2024 to ?"}},
    91_017: {"title": "", "titles": []},
    91_018: {"images": {"jpg": None, "webp": {"image_url": "https://cdn.example/91018.webp"}}},
}


class Reset(Exception):
    """The connection ends without another word."""


class Faults:
    """What a rule can do to a request. A method that returns True has answered."""

    def __init__(self, stand_in):
        self.stand_in = stand_in

    def seconds(self, action, name, default=0.0):
        return action.get(name, default) / self.stand_in.clock

    def status(self, request, action):
        code = action["code"]
        body = {"status": action.get("status", code), "type": action.get("type", "UpstreamException"), "message": "A message for people.",
                "error": action.get("error")}
        if "report_url" in action:
            body["report_url"] = action["report_url"]
        return request.answer(code, php(body), {"Cache-Control": "must-revalidate, private", "Expires": "-1", **action.get("headers", {})})

    def rate_limited(self, request, action):
        extra = {"Retry-After": str(action["retry_after"])} if "retry_after" in action else {}
        return self.status(request, {"code": 429, "type": "RateLimitException", "headers": extra,
                                     "status": 429 if action.get("form") == "mal" else "429"})

    def ok_error(self, request, _):
        body = {"status": 500, "type": "UpstreamException", "message": "Cached.", "error": None}
        return request.answer(200, php(body), {"X-Cache-Status": "HIT"})

    def html(self, request, action):
        return request.answer(action.get("code", 502), b"<html><body><h1>Bad gateway</h1></body></html>", {}, "text/html")

    def malformed(self, request, action):
        whole = request.route()[1]
        forms = {
            "truncated": whole[:len(whole) // 2], "trailing_garbage": whole + b"}", "not_json": b"hello", "empty": b"",
            "bad_utf8": whole.replace(b"Lantern", b"Lan\xff\xfern"), "missing_data": b"{\"date\":{}}", "wrong_list": b"{\"data\":[]}",
            "wrong_string": b"{\"data\":\"x\"}", "wrong_null": b"{\"data\":null}", "nan": b"{\"data\":{\"mal_id\":NaN}}",
            "deep": b"[" * 10_000 + b"]" * 10_000, "no_title": b"{\"data\":{\"mal_id\":" + request.last_part() + b"}}",
        }
        return request.answer(200, forms[action["form"]])

    def slow(self, request, action):
        """delay_headers, delay_body: seconds; drip: bytes per second of the body."""
        time.sleep(self.seconds(action, "delay_headers"))
        if "delay_body" not in action and "drip" not in action:
            return False
        status, body, headers = request.route()
        request.head(status, {**headers, "Content-Length": str(len(body))})
        time.sleep(self.seconds(action, "delay_body"))
        for i in range(0, len(body), 1 if "drip" in action else len(body)):
            request.wfile.write(body[i:] if "drip" not in action else body[i:i + 1])
            request.wfile.flush()
            if "drip" in action:
                time.sleep(1 / action["drip"] / self.stand_in.clock)
        return True

    def hang(self, request, action):
        request.connection.settimeout(self.seconds(action, "seconds", 600))
        try:
            request.rfile.read(1)  # until the client gives up
        except OSError:
            pass
        raise Reset

    def reset(self, request, action):
        """where: before, headers, body"""
        where = action.get("where", "before")
        if where != "before":
            request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
        if where == "body":
            request.wfile.write(b"Content-Length: 5000\r\n\r\n{\"data\":{")
        raise Reset

    def refuse(self, _, action):
        threading.Thread(target=self.stand_in.pause_listening, args=(self.seconds(action, "seconds", 1),), daemon=True).start()
        raise Reset

    def gzip_bomb(self, request, _):
        """1 GB of zeros in 1 MB. Its checksum is wrong, but who reads as far has lost anyway."""
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        mebibyte = squeeze.compress(bytes(1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)  # can be repeated
        body = b"\x1f\x8b\x08\0\0\0\0\0\0\3" + mebibyte * 1024 + b"\3\0" + bytes(8)
        return request.answer(200, body, {"Content-Encoding": "gzip"})

    def bad_gzip(self, request, _):
        return request.answer(200, b"\x1f\x8b\x08\x00garbage", {"Content-Encoding": "gzip"})

    def huge(self, request, action):
        """A body of that many bytes, without a length."""
        request.head(200, {"Connection": "close"})
        for _ in range(action.get("bytes", 1 << 30) >> 16):
            request.wfile.write(b" " * (1 << 16))
        return True

    def redirect(self, request, action):
        return request.answer(action.get("code", 301), b"", {"Location": action["to"]})

    def wrong_id(self, request, _):
        other = self.stand_in.titles[FIRST_ID]
        return request.answer(200, php({"data": other}))

    def swap(self, request, _):
        """Version 2 of a title: other genres, one of them renamed."""
        item = json.loads(request.route()[1])
        item["data"]["genres"] = [named(8, "genre", "Dramatic"), named(41, "genre", "Suspense")]
        return request.answer(200, php(item))

    def page_shift(self, request, action):
        """The page begins with the last items of the one before."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
        page, limit, shift = int(query.get("page", 1)), int(query.get("limit", PAGE)), action.get("items", 3)
        items = self.stand_in.top(query)
        begin = max(0, (page - 1) * limit - (shift if page > 1 else 0))
        return request.answer(200, php(self.stand_in.paged(items, page, limit, begin)))

    def endless(self, request, action):
        """From page `from` on: no items, or those of page 1 again (`repeat`), and always a next page."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.path).query))
        page, limit = int(query.get("page", 1)), int(query.get("limit", PAGE))
        items = self.stand_in.top(query)
        answer = self.stand_in.paged(items, page, limit, (page - 1) * limit)
        if page >= action.get("from", 3):
            answer["data"] = items[:limit] if action.get("repeat") else []
        answer["pagination"].update(has_next_page=True, last_visible_page=1)
        return request.answer(200, php(answer))


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def setup(self):
        super().setup()
        self.stand_in = self.server.stand_in
        self.stand_in.connections.add(self.connection)

    def finish(self):
        self.stand_in.connections.discard(self.connection)
        try:
            super().finish()
        except OSError:
            pass

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def last_part(self):
        return urllib.parse.urlsplit(self.path).path.rpartition("/")[2].encode()

    def serve(self):
        entry = self.stand_in.enter(self)
        self.entry = entry
        try:
            if entry["limited"] and not self.stand_in.strict:
                entry["rule"] = "limiter"
                self.stand_in.faults.rate_limited(self, {"form": "edge"})
                return
            rule = self.stand_in.rule_for(self.command, self.path)
            if rule:
                entry["rule"] = rule["action"]["kind"]
                if getattr(self.stand_in.faults, rule["action"]["kind"])(self, rule["action"]):
                    return
            status, body, headers = self.route()
            self.answer(status, body, headers)
        except (Reset, OSError):
            self.close_connection = True
            try:
                # So that the client sees a reset in the middle, not an orderly end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                self.wfile.flush()
            except (OSError, ValueError):
                pass
        finally:
            self.stand_in.leave()

    def head(self, status, headers, content_type="application/json"):
        self.entry["status"] = status
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "X-Cache-Status": "MISS", **headers}.items():
            self.send_header(name, value)
        if headers.get("Connection") == "close":
            self.close_connection = True
        self.end_headers()

    def answer(self, status, body, headers=None, content_type="application/json"):
        headers = dict(headers or {})
        if status == 304:
            self.head(304, headers)
            return True
        if "gzip" in self.headers.get("Accept-Encoding", "") and "Content-Encoding" not in headers and body:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self.entry["bytes"] = len(body)
        if self.stand_in.chunked:
            self.head(status, {**headers, "Transfer-Encoding": "chunked"}, content_type)
            pieces = [body[i:i + 1000] for i in range(0, len(body), 1000)]
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        else:
            self.head(status, {**headers, "Content-Length": str(len(body))}, content_type)
            if self.command != "HEAD":
                self.wfile.write(body)
        return True

    # --- Routes: (status, body, headers)

    def route(self):
        parts = urllib.parse.urlsplit(self.path)
        query = {name: value for name, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=True) if value}
        if self.command not in ("GET", "HEAD"):
            return self.http_error(405)
        path = parts.path
        one = re.fullmatch(r"/v4/anime/(\d+)(/full)?", path)
        season = re.fullmatch(r"/v4/seasons/(?:(now|upcoming)|(\d{4})/(winter|spring|summer|fall))", path)
        if path in ("/v4", "/v4/"):
            return 200, php({"author_url": "", "discord_url": "", "version": "4", "parser_version": "5", "website_url": ""}), {}
        if one:
            return self.title(int(one[1]), bool(one[2]))
        if path == "/v4/top/anime":
            return self.list(query, self.stand_in.top(query), ("filter", "type"))
        if path == "/v4/anime":
            if any(c in query.get("q", "") for c in "\n\t\0") or len(query.get("q", "")) > 255:
                return self.invalid("q")
            return self.list(query, self.stand_in.search(query), ("type", "status", "order_by", "sort"))
        if season:
            return self.list(query, self.stand_in.season(season), ())
        if path == "/v4/genres/anime":
            kind = query.get("filter", "genres")
            return 200, php({"data": [{**named(i, "genre", n), "count": 1} for i, (k, n) in sorted(GENRES.items()) if k == kind]}), {}
        return self.http_error(404)

    def http_error(self, status):
        return status, php({"status": status, "type": "HttpException", "message": "Not here.", "error": None}), {}

    def invalid(self, name):
        body = {"status": 400, "type": "ValidationException", "messages": {name: [f"The {name} is invalid."]}, "error": "Invalid."}
        return 400, php(body), {}

    def title(self, mal_id, is_full):
        if mal_id == 0:
            return self.invalid("id")
        item = self.stand_in.titles.get(mal_id)
        if item is None:
            page = f"https://myanimelist.net/anime/{mal_id}/"
            return 404, php({"status": 404, "type": "BadResponseException", "message": "Not found.", "error": f"404 on {page}"}), {}
        if is_full:
            item = {**item, "relations": self.stand_in.relations.get(mal_id, []), "theme": {"openings": [], "endings": []}, "external": [], "streaming": []}
        body, now = php({"data": item}), time.time()
        headers = {"X-Request-Fingerprint": "request:anime:" + hashlib.sha1(self.path.encode()).hexdigest(),
                   "Cache-Control": "public, s-maxage=86400", "Expires": email.utils.formatdate(now + DAY, usegmt=True),
                   "Last-Modified": email.utils.formatdate(now, usegmt=True)}
        if self.stand_in.etags:
            headers["ETag"] = '"' + hashlib.md5(body).hexdigest() + '"'
            if self.headers.get("If-None-Match") == headers["ETag"]:
                return 304, b"", headers
        return 200, body, headers

    def list(self, query, items, words):
        for name in words:
            if name in query and query[name] not in SEARCH_WORDS[name]:
                return self.invalid(name)
        for name, most in (("page", 10 ** 9), ("limit", PAGE)):
            if not re.fullmatch(r"[0-9]{1,9}", query.get(name, "1")) or not 1 <= int(query.get(name, "1")) <= most:
                return self.invalid(name)
        page, limit = int(query.get("page", 1)), int(query.get("limit", PAGE))
        return 200, php(self.stand_in.paged(items, page, limit, (page - 1) * limit)), {}


class Control(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do(self):
        stand_in, parts = self.server.stand_in, urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(urllib.parse.parse_qsl(parts.query))
        answer = {
            ("POST", "/ctl/rules"): lambda: stand_in.rule(json.loads(body)),
            ("DELETE", "/ctl/rules"): stand_in.clear,
            ("GET", "/ctl/log"): lambda: list(stand_in.log),
            ("GET", "/ctl/violations"): stand_in.violations,
            ("GET", "/ctl/peak"): lambda: stand_in.peak(int(query["ms"])),
            ("POST", "/ctl/data"): lambda: stand_in.patch(json.loads(body)),
            ("POST", "/ctl/reset"): stand_in.reset,
        }[self.command, parts.path]()
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = do


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def server_bind(self):
        socketserver.TCPServer.server_bind(self)  # without looking up the host's name
        self.server_name, self.server_port = self.server_address[:2]


class Jikan:
    def __init__(self, strict=False, second=1.0, minute=60.0, clock=1.0, seed=1, per_second=3, per_minute=60, port=0):
        self.strict, self.clock, self.seed = strict, clock, seed
        self.windows = ((per_second, second), (per_minute, minute))
        self.lock = threading.RLock()
        self.faults = Faults(self)
        self.connections = set()
        self.port = port
        self.reset()

    def reset(self):
        """Back to the beginning; the settings stay."""
        with self.lock:
            self.rules, self.log, self.broken = [], [], []
            self.chunked, self.etags = False, False
            self.now_running = self.most_running = 0
            self.accepted = collections.deque()
            self.rng = random.Random(self.seed)
            rng = random.Random(self.seed)
            self.titles = {mal_id: title(mal_id, rng) for mal_id in range(FIRST_ID, FIRST_ID + TITLES)}
            self.relations = {}  # {id: what /full has}
            for mal_id, odd in ODD.items():
                self.titles[mal_id] = {**title(mal_id, rng), **odd}

    # --- Running

    def listen(self):
        self.api = Server(("127.0.0.1", self.port), Request)
        self.api.stand_in = self
        self.port = self.api.server_port
        threading.Thread(target=self.api.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop_listening(self):
        """Connections are refused until listen()."""
        self.api.shutdown()
        self.api.server_close()
        self.end_connections()

    def pause_listening(self, seconds):
        """Connections are refused for so long."""
        self.stop_listening()
        time.sleep(seconds)
        self.listen()

    def end_connections(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        self.listen()
        self.control = Server(("127.0.0.1", 0), Control)
        self.control.stand_in = self
        threading.Thread(target=self.control.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.port}/v4"
        self.control_url = f"http://127.0.0.1:{self.control.server_port}"
        return self

    def __exit__(self, *_):
        for server in (self.api, self.control):
            server.shutdown()
            server.server_close()
        self.end_connections()

    # --- Requests

    def enter(self, request):
        """Logs the request and counts it."""
        now = time.monotonic()
        with self.lock:
            while self.accepted and self.accepted[0] <= now - self.windows[1][1]:
                self.accepted.popleft()
            over = [count for count, window in self.windows if sum(at > now - window for at in self.accepted) >= count]
            entry = {"at": now, "time": time.time(), "peer": request.client_address[1], "method": request.command, "uri": request.path,
                     "headers": dict(request.headers.items()), "rule": None, "status": None, "bytes": 0, "limited": bool(over)}
            self.log.append(entry)
            if over:
                self.broken.append({"at": now, "uri": request.path, "limits": over})
            if not over or self.strict:
                self.accepted.append(now)
            self.now_running += 1
            self.most_running = max(self.most_running, self.now_running)
            return entry

    def leave(self):
        with self.lock:
            self.now_running -= 1

    def rule_for(self, method, uri):
        with self.lock:
            for rule in self.rules:
                match = rule["match"]
                if not re.search(match.get("path", ""), uri) or match.get("method", method) != method or rule["times"] == 0:
                    continue
                if rule["after"] > 0:
                    rule["after"] -= 1
                    continue
                if self.rng.random() >= rule["probability"]:
                    continue
                rule["times"] -= rule["times"] > 0
                return rule
        return None

    # --- Data

    def top(self, query):
        items = [item for item in self.titles.values() if item["mal_id"] < FIRST_ID + TITLES]
        only = {"airing": "Currently Airing", "upcoming": "Not yet aired"}.get(query.get("filter"))
        key = {"upcoming": "members", "bypopularity": "members", "favorite": "favorites"}.get(query.get("filter"), "score")
        kind = query.get("type", "").replace("_", " ")
        found = [item for item in items if (not only or item["status"] == only) and (not kind or item["type"].lower() == kind)]
        return sorted(found, key=lambda item: -(item[key] or 0))

    def search(self, query):
        wanted, status, kind = query.get("q", "").lower(), STATUSES.get(query.get("status")), query.get("type", "").replace("_", " ")
        genres = {int(genre) for genre in query.get("genres", "").split(",") if genre.isdigit()}
        found = [item for item in self.titles.values()
                 if any(wanted in one["title"].lower() for one in item["titles"]) and (not status or item["status"] == status)
                 and (not kind or item["type"].lower() == kind) and (item["score"] or 0) >= float(query.get("min_score", 0))
                 and genres <= {genre.get("mal_id") for genre in item["genres"] or []}]
        order = query.get("order_by")
        if order in ("members", "score", "favorites", "popularity", "rank", "mal_id", "title", "episodes"):
            found.sort(key=lambda item: (item[order] is None, item[order] or 0 if order != "title" else item[order]),
                       reverse=query.get("sort") == "desc")
        return found

    def season(self, match):
        if match[1]:
            status = STATUSES["airing" if match[1] == "now" else "upcoming"]
            return [item for item in self.titles.values() if item["status"] == status]
        return [item for item in self.titles.values() if item["year"] == int(match[2]) and item["season"] == match[3]]

    @staticmethod
    def paged(items, page, limit, begin):
        last = max(1, -(-len(items) // limit))
        data = items[begin:begin + limit]
        return {"pagination": {"last_visible_page": last, "has_next_page": page < last, "current_page": page,
                               "items": {"count": len(data), "total": len(items), "per_page": limit}}, "data": data}

    # --- What tests do and ask

    def rule(self, rule):
        with self.lock:
            self.rules.append({"match": {}, "times": -1, "after": 0, "probability": 1, **rule})

    def clear(self):
        with self.lock:
            self.rules.clear()

    def patch(self, changes):
        """{id: members to replace}; a title that is not there yet is made; null removes it. "relations" appear in /full only."""
        with self.lock:
            for mal_id, members in changes.items():
                if members is None:
                    self.titles.pop(int(mal_id), None)
                else:
                    members = dict(members)
                    if "relations" in members:
                        self.relations[int(mal_id)] = members.pop("relations")
                    old = self.titles.get(int(mal_id)) or title(int(mal_id), random.Random(int(mal_id)))
                    self.titles[int(mal_id)] = {**old, **members}

    def violations(self):
        return list(self.broken)

    def requests(self, path=""):
        """The log entries whose path begins so."""
        return [entry for entry in list(self.log) if entry["uri"].startswith(path)]

    def count(self, path):
        """Requests of exactly that path, whatever the query."""
        return sum(entry["uri"].partition("?")[0] == path for entry in list(self.log))

    def gaps(self, path=""):
        """Seconds between one request and the next."""
        times = [entry["at"] for entry in self.requests(path)]
        return [after - before for before, after in zip(times, times[1:])]

    def peak(self, ms):
        """The most requests in any window of so many milliseconds."""
        times, begin, most = sorted(entry["at"] for entry in list(self.log)), 0, 0
        for i, at in enumerate(times):
            while times[begin] <= at - ms / 1000:
                begin += 1
            most = max(most, i - begin + 1)
        return most

    def complaints(self):
        """What a well-behaved client would not have sent."""
        for entry in list(self.log):
            headers = {name.lower(): value for name, value in entry["headers"].items()}
            if "gzip" not in headers.get("accept-encoding", "") or "Syncline" not in headers.get("user-agent", ""):
                yield f"{entry['uri']}: without Accept-Encoding: gzip or a User-Agent"
            if "authorization" in headers or "cookie" in headers:
                yield f"{entry['uri']}: with a secret"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strict", action="store_true")
    for name, default in (("second", 1.0), ("minute", 60.0), ("clock", 1.0)):
        parser.add_argument("--" + name, type=float, default=default)
    for name, default in (("per-second", 3), ("per-minute", 60), ("port", 0)):
        parser.add_argument("--" + name, type=int, default=default)
    with Jikan(**vars(parser.parse_args())) as jikan:
        print(jikan.url, jikan.control_url, flush=True)
        sys.stdin.read()
    os._exit(0)  # some threads may hang on purpose


if __name__ == "__main__":
    main()
