"""The stand-in of Jikan is what it claims to be: the form of its answers, its limits, its faults."""

import gzip
import http.client
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from jikan import GENRES, Jikan  # noqa: E402  pylint: disable=wrong-import-position
from promises import keep  # noqa: E402  pylint: disable=wrong-import-position

TITLE = {"mal_id", "url", "images", "trailer", "approved", "titles", "title", "title_english", "title_japanese", "title_synonyms", "type",
         "source", "episodes", "status", "airing", "aired", "duration", "rating", "score", "scored_by", "rank", "popularity", "members",
         "favorites", "synopsis", "background", "season", "year", "broadcast", "producers", "licensors", "studios", "genres",
         "explicit_genres", "themes", "demographics"}
FULL = {"relations", "theme", "external", "streaming"}


def get(jikan, path, headers=None, method="GET"):
    """(status, headers, raw body)"""
    request = urllib.request.Request(jikan.url + path, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def free():
    return Jikan(per_second=10_000, per_minute=100_000)


def fails(function):
    try:
        function()
    except (OSError, http.client.HTTPException, EOFError, ValueError):
        return True
    return False


def every_route_has_the_properties_of_the_real_one():
    with free() as jikan:
        assert set(json.loads(get(jikan, "/anime/90001")[2])["data"]) == TITLE
        assert set(json.loads(get(jikan, "/anime/90001/full")[2])["data"]) == TITLE | FULL
        for path in ("/top/anime", "/anime?q=harbour", "/seasons/now", "/seasons/upcoming", "/seasons/2019/spring"):
            page = json.loads(get(jikan, path)[2])
            assert set(page) == {"pagination", "data"}, path
            assert set(page["pagination"]) == {"last_visible_page", "has_next_page", "current_page", "items"}
            assert set(page["pagination"]["items"]) == {"count", "total", "per_page"}
            assert all(set(item) == TITLE for item in page["data"])
        kinds = {kind: json.loads(get(jikan, "/genres/anime?filter=" + kind)[2])["data"] for kind, _ in GENRES.values()}
        assert sum(len(genres) for genres in kinds.values()) == len(GENRES)
        assert all(set(genre) == {"mal_id", "type", "name", "url", "count"} for genres in kinds.values() for genre in genres)
        used = {genre["mal_id"] for item in jikan.titles.values() for key in ("genres", "themes", "demographics", "explicit_genres")
                for genre in item[key] or [] if "mal_id" in genre}
        assert used == set(GENRES)


def bodies_are_written_as_php_does():
    with free() as jikan:
        body = get(jikan, "/anime/91009")[2]
        assert b"https:\\/\\/" in body and b"\\ud83c\\udfef" in body and b'": ' not in body and body.isascii()
        packed = get(jikan, "/anime/91009", {"Accept-Encoding": "gzip"})
        assert packed[1]["Content-Encoding"] == "gzip" and gzip.decompress(packed[2]) == body
        jikan.chunked = True
        chunked = get(jikan, "/anime/91009")
        assert chunked[1]["Transfer-Encoding"] == "chunked" and chunked[2] == body


def the_same_seed_gives_the_same_titles():
    first, second, other = Jikan(seed=1), Jikan(seed=1), Jikan(seed=2)
    assert first.titles == second.titles != other.titles and len(first.titles) >= 300


def single_titles_have_headers_and_lists_have_none():
    with free() as jikan:
        _, headers, _ = get(jikan, "/anime/90001")
        assert headers["X-Request-Fingerprint"].startswith("request:anime:") and headers["Cache-Control"] == "public, s-maxage=86400"
        assert headers["Expires"] and headers["Last-Modified"] and headers["X-Cache-Status"] and not headers["ETag"]
        _, headers, _ = get(jikan, "/top/anime")
        assert headers["X-Cache-Status"] and not headers["Expires"]
        jikan.etags = True
        tag = get(jikan, "/anime/90001")[1]["ETag"]
        assert get(jikan, "/anime/90001", {"If-None-Match": tag})[0] == 304


def wrong_requests_get_the_errors_of_the_real_one():
    with free() as jikan:
        for path, status, kind in (("/anime/0", 400, "ValidationException"), ("/anime/5", 404, "BadResponseException"),
                                   ("/anime/x", 404, "HttpException"), ("/nothing", 404, "HttpException"),
                                   ("/top/anime?limit=26", 400, "ValidationException"), ("/top/anime?page=0", 400, "ValidationException"),
                                   ("/anime?q=a%0Ab", 400, "ValidationException"), ("/anime?order_by=x", 400, "ValidationException")):
            got, _, body = get(jikan, path)
            assert (got, json.loads(body)["status"], json.loads(body)["type"]) == (status, status, kind), path
        assert get(jikan, "/anime/90001", method="POST")[0] == 405
        assert get(jikan, "/anime?q=&type=&status=&season=")[0] == 200


def pages_end():
    with free() as jikan:
        pages = [json.loads(get(jikan, f"/top/anime?page={page}")[2]) for page in (1, 12, 13)]
        assert [page["pagination"]["has_next_page"] for page in pages] == [True, False, False]
        assert [len(page["data"]) for page in pages] == [25, 25, 0]


def the_fourth_request_in_a_second_is_throttled_or_counted():
    with Jikan() as jikan:
        assert [get(jikan, "/genres/anime")[0] for _ in range(4)] == [200, 200, 200, 429]
        assert json.loads(get(jikan, "/genres/anime")[2])["status"] == "429"
        time.sleep(1.05)
        assert get(jikan, "/genres/anime")[0] == 200
    with Jikan(strict=True) as jikan:
        assert [get(jikan, "/genres/anime")[0] for _ in range(4)] == [200] * 4
        assert len(jikan.violations()) == 1 and jikan.peak(1000) == 4


def the_first_live_rule_wins():
    with free() as jikan:
        jikan.rule({"match": {"path": "^/v4/anime/90001"}, "times": 2, "after": 1, "action": {"kind": "status", "code": 500}})
        jikan.rule({"match": {}, "action": {"kind": "html", "code": 502}})
        assert [get(jikan, "/anime/90001")[0] for _ in range(4)] == [502, 500, 500, 502]
        jikan.clear()
        assert get(jikan, "/anime/90001")[0] == 200
        assert [entry["rule"] for entry in jikan.requests("/v4/anime/90001")] == ["html", "status", "status", "html", None]
        assert jikan.count("/v4/anime/90001") == 5 and len(jikan.gaps()) == 4


def every_fault_does_what_it_says():
    with Jikan(per_second=10_000, per_minute=100_000, clock=10) as jikan:
        def under(**action):
            jikan.clear()
            jikan.rule({"action": action})
            return get(jikan, "/anime/90001")

        whole = json.loads(get(jikan, "/anime/90001")[2])
        assert under(kind="rate_limited", form="mal", retry_after=7)[1]["Retry-After"] == "7"
        assert json.loads(under(kind="rate_limited", form="mal")[2])["status"] == 429
        assert under(kind="ok_error")[0] == 200 and json.loads(under(kind="ok_error")[2])["status"] == 500
        assert under(kind="html", code=404)[1]["Content-Type"] == "text/html"
        for form in ("truncated", "trailing_garbage", "not_json", "empty", "bad_utf8"):
            status, _, body = under(kind="malformed", form=form)
            assert status == 200
            try:
                json.loads(body)
                raise AssertionError(form)
            except ValueError:
                pass
        assert json.loads(under(kind="malformed", form="wrong_list")[2]) == {"data": []}
        begin = time.monotonic()
        assert json.loads(under(kind="slow", delay_headers=2, delay_body=2)[2]) == whole
        assert 0.35 < time.monotonic() - begin < 2
        for where in ("before", "headers", "body"):
            assert fails(lambda where=where: json.loads(under(kind="reset", where=where)[2])), where
        assert fails(lambda: under(kind="hang", seconds=2))
        assert fails(lambda: gzip.decompress(under(kind="bad_gzip")[2]))
        assert len(under(kind="gzip_bomb")[2]) < 4 << 20
        assert len(under(kind="huge", bytes=1 << 20)[2]) == 1 << 20
        jikan.clear()
        jikan.rule({"times": 1, "action": {"kind": "redirect", "to": "/v4/top/anime?limit=1"}})
        assert len(json.loads(get(jikan, "/anime/90001")[2])["data"]) == 1
        assert json.loads(under(kind="swap")[2])["data"]["genres"][0]["name"] == "Dramatic"
        assert json.loads(under(kind="wrong_id")[2])["data"]["mal_id"] == 90_001
        jikan.clear()
        jikan.rule({"action": {"kind": "page_shift", "items": 3}})
        first, second = (json.loads(get(jikan, f"/top/anime?page={page}")[2])["data"] for page in (1, 2))
        assert first[-3:] == second[:3]
        jikan.clear()
        jikan.rule({"action": {"kind": "endless"}})
        third = json.loads(get(jikan, "/top/anime?page=9")[2])
        assert third["data"] == [] and third["pagination"]["has_next_page"] and third["pagination"]["last_visible_page"] == 1
        jikan.clear()
        assert fails(lambda: under(kind="refuse", seconds=10))
        jikan.clear()
        time.sleep(0.2)
        assert fails(lambda: get(jikan, "/anime/90001"))
        time.sleep(1.3)
        assert get(jikan, "/anime/90001")[0] == 200


def titles_can_be_changed_added_and_removed():
    with free() as jikan:
        jikan.patch({"90001": {"status": "Hiatus"}, "95000": {}, "90002": None})
        assert json.loads(get(jikan, "/anime/90001")[2])["data"]["status"] == "Hiatus"
        assert [get(jikan, f"/anime/{mal_id}")[0] for mal_id in (95000, 90002)] == [200, 404]
        jikan.reset()
        assert [get(jikan, f"/anime/{mal_id}")[0] for mal_id in (95000, 90002)] == [404, 200]


def complaints_name_what_a_client_should_not_send():
    with free() as jikan:
        get(jikan, "/anime/90001", {"Authorization": "x"})
        assert len(list(jikan.complaints())) == 2
        jikan.reset()
        get(jikan, "/anime/90001", {"Accept-Encoding": "gzip", "User-Agent": "Syncline/1"})
        assert not list(jikan.complaints())


if __name__ == "__main__":
    sys.exit(keep(every_route_has_the_properties_of_the_real_one, bodies_are_written_as_php_does, the_same_seed_gives_the_same_titles,
                  single_titles_have_headers_and_lists_have_none, wrong_requests_get_the_errors_of_the_real_one, pages_end,
                  the_fourth_request_in_a_second_is_throttled_or_counted, the_first_live_rule_wins, every_fault_does_what_it_says,
                  titles_can_be_changed_added_and_removed, complaints_name_what_a_client_should_not_send))
