// handlers/base/conditional, range and cookies.
#include "handlers/base/conditional.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "handlers/base/cookies.h"
#include "handlers/base/errors.h"
#include "handlers/base/range.h"
#include "tests/support/inputs.h"

using namespace syncline;
using tests::CodeOf;
using namespace std::chrono_literals;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
const std::chrono::sys_seconds kMoment{784111777s};
const Current kNow{.exists = true, .etag = ETag::Of("v2"), .modified_at = kMoment + 500ms};
const Current kNothing{};

Request Asking(const char* method, Headers headers) {
  Request request;
  request.method = method;
  request.headers = std::move(headers);
  return request;
}

// Returns "proceed", "not_modified" or the error code.
std::string Result(const char* method, Headers headers, const Current& current = kNow) {
  std::string result;
  const std::string code = CodeOf([&] {
    const bool proceeds =
        Evaluate(Conditions(Asking(method, std::move(headers))), current) == Outcome::kProceed;
    result = proceeds ? "proceed" : "not_modified";
  });
  return code.empty() ? result : code;
}

std::string Date(const char* text) {
  const auto date = ParseHttpDate(text, std::chrono::sys_days(2026y / 1 / 1));
  return date ? PrintHttpDate(*date) : "none";
}

std::string Range(const char* range, std::uint64_t length = 100, Headers more = {},
                  const char* method = "GET") {
  Headers headers = {{"range", range}};
  headers.insert(headers.end(), more.begin(), more.end());
  try {
    const auto found = RangeOf(Asking(method, headers), kNow, length, kMoment + 1h);
    return found ? std::to_string(found->first) + "+" + std::to_string(found->Size()) : "whole";
  } catch (const Error& error) {
    BOOST_TEST(StatusOf(error.kind()) == 416);
    return error.headers().at(0).second;
  }
}

}  // namespace

// ---- Conditions

BOOST_AUTO_TEST_CASE(a_change_happens_only_while_if_match_holds) {
  BOOST_TEST(Result("PUT", {}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-match", "\"v2\""}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-match", " , \"v1\" ,\t\"v2\","}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-match", "*"}}) == "proceed");
  for (const char* other : {"\"v1\"", "W/\"v2\"", "\"V2\"", "\"\"", "\"v1, v2\""})
    BOOST_TEST(Result("PUT", {{"if-match", other}}) == "precondition_failed", other);
  BOOST_TEST(Result("PUT", {{"if-match", "*"}}, kNothing) == "precondition_failed");
  BOOST_TEST(Result("PUT", {{"if-match", "\"v2\""}}, kNothing) == "precondition_failed");
  BOOST_TEST(Result("PUT", {{"if-match", "\"v2\""}}, {.exists = true}) == "precondition_failed");
  BOOST_TEST(Result("GET", {{"if-match", "\"v1\""}}) == "precondition_failed");
}

BOOST_AUTO_TEST_CASE(a_malformed_if_match_is_refused_and_never_ignored) {
  for (const char* bad : {"", " ", ",", "v2", "\"v2", "v2\"", "\"v2\" \"v1\"", "w/\"v2\"", "*, \"v2\"",
                          "\"a\x01\"", "\"v2\"x", "W/"})
    BOOST_TEST(Result("PUT", {{"if-match", bad}}) == "bad_etag", bad);
  std::string many = "\"v2\"";
  for (std::size_t i = 0; i < Conditions::kMaxTags; ++i) many += ",\"v2\"";
  BOOST_TEST(Result("PUT", {{"if-match", many}}) == "bad_etag");
}

BOOST_AUTO_TEST_CASE(if_none_match_answers_304_to_reads_and_412_to_changes) {
  for (const char* same : {"\"v2\"", "W/\"v2\"", "\"v1\", W/\"v2\"", "*"}) {
    BOOST_TEST(Result("GET", {{"if-none-match", same}}) == "not_modified", same);
    BOOST_TEST(Result("HEAD", {{"if-none-match", same}}) == "not_modified", same);
    BOOST_TEST(Result("PUT", {{"if-none-match", same}}) == "precondition_failed", same);
  }
  BOOST_TEST(Result("PUT", {{"if-none-match", "\"v1\""}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-none-match", "*"}}, kNothing) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-none-match", "JoplinIgnore-12345"}}) == "proceed");
}

BOOST_AUTO_TEST_CASE(dates_are_used_only_without_entity_tags) {
  BOOST_TEST(Result("GET", {{"if-modified-since", kDate}}) == "not_modified");
  BOOST_TEST(Result("GET", {{"if-modified-since", kBefore}}) == "proceed");
  BOOST_TEST(Result("GET", {{"if-modified-since", "yesterday"}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-modified-since", kDate}}) == "proceed");
  BOOST_TEST(Result("GET", {{"if-modified-since", kDate}, {"if-none-match", "\"v1\""}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-unmodified-since", kDate}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-unmodified-since", kBefore}}) == "precondition_failed");
  BOOST_TEST(Result("PUT", {{"if-unmodified-since", "yesterday"}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-unmodified-since", kBefore}, {"if-match", "\"v2\""}}) == "proceed");
  BOOST_TEST(Result("PUT", {{"if-unmodified-since", kBefore}}, {.exists = true}) == "proceed");
  BOOST_TEST(Result("GET", {{"if-modified-since", kDate}}, {.exists = true}) == "proceed");
}

BOOST_AUTO_TEST_CASE(conditions_are_evaluated_in_the_order_of_rfc_9110) {
  BOOST_TEST(Result("GET", {{"if-match", "\"v1\""}, {"if-none-match", "\"v2\""}}) == "precondition_failed");
  BOOST_TEST(Result("GET", {{"if-match", "\"v2\""}, {"if-none-match", "\"v2\""}}) == "not_modified");
  BOOST_TEST(Result("GET", {{"if-unmodified-since", kBefore}, {"if-none-match", "\"v2\""}}) ==
             "precondition_failed");
}

BOOST_AUTO_TEST_CASE(a_route_can_demand_a_condition) {
  const auto code = [](Headers headers, Current current = kNow) {
    return CodeOf([&] { RequireCondition(Conditions(Asking("PUT", std::move(headers))), current); });
  };
  // None of these prevents a client from overwriting a version that it has not seen.
  BOOST_TEST(code({{"if-none-match", "\"x\""}}) == "precondition_required");
  BOOST_TEST(code({{"if-none-match", "JoplinIgnore-3"}}) == "precondition_required");
  BOOST_TEST(code({{"if-modified-since", kDate}}) == "precondition_required");
  BOOST_TEST(code({{"if-unmodified-since", kDate}}, {.exists = true, .etag = ETag::Of(1)}) ==
             "precondition_required");
  BOOST_TEST(code({}) == "precondition_required");
  BOOST_TEST(code({{"if-unmodified-since", "yesterday"}}) == "precondition_required");
  BOOST_TEST(code({{"if-match", "*"}}) == "");
  BOOST_TEST(code({{"if-none-match", "*"}}) == "");
  BOOST_TEST(code({{"if-unmodified-since", kDate}}) == "");
}

BOOST_AUTO_TEST_CASE(only_printable_entity_tags_are_accepted_from_our_code) {
  BOOST_TEST(ETag::Of(7).Print() == "\"7\"");
  BOOST_TEST((ETag{"x", true}.Print()) == "W/\"x\"");
  for (const char* bad : {"a\"b", "a b", "a\n", "\u00e9"})
    BOOST_TEST(CodeOf([&] { ETag::Of(bad); }) == "internal", bad);
}

BOOST_AUTO_TEST_CASE(dates_are_read_in_three_forms) {
  for (const char* text : {kDate, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
    BOOST_TEST(Date(text) == kDate, text);
  BOOST_TEST(Date("Tue, 29 Feb 2000 23:59:60 GMT") == "Tue, 29 Feb 2000 23:59:59 GMT");
  BOOST_TEST(Date("Thursday, 01-Jan-76 00:00:00 GMT") == "Wed, 01 Jan 2076 00:00:00 GMT");
  BOOST_TEST(Date("Saturday, 01-Jan-77 00:00:00 GMT") == "Sat, 01 Jan 1977 00:00:00 GMT");
  BOOST_TEST(Date("Fri, 31 Dec 9999 23:59:59 GMT") == "Fri, 31 Dec 9999 23:59:59 GMT");
  BOOST_TEST(Date("Thu, 01 Jan 0001 00:00:00 GMT") == "Mon, 01 Jan 0001 00:00:00 GMT");
  for (const char* bad :
       {"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT x",
        "Mit, 06 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "784111777",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "Sun, 06 Nov -994 08:49:37 GMT"})
    BOOST_TEST(Date(bad) == "none", bad);
  BOOST_TEST(PrintHttpDate(kMoment + 999ms) == kDate);
}

// ---- Ranges

BOOST_AUTO_TEST_CASE(one_range_is_a_part_of_the_body) {
  BOOST_TEST(Range("bytes=0-0") == "0+1");
  BOOST_TEST(Range("bytes=0-99") == "0+100");
  BOOST_TEST(Range("bytes=10-1000") == "10+90");
  BOOST_TEST(Range("bytes=99-") == "99+1");
  BOOST_TEST(Range("bytes=-1") == "99+1");
  BOOST_TEST(Range("bytes=-1000") == "0+100");
  BOOST_TEST(Range("Bytes= 5-6 ,") == "5+2");
  BOOST_TEST(Range("bytes=1-99999999999999999999999") == "1+99");
  BOOST_TEST(Range("bytes=-99999999999999999999999") == "0+100");
  BOOST_TEST(Range("bytes=5-", UINT64_MAX) == "5+" + std::to_string(UINT64_MAX - 5));
}

BOOST_AUTO_TEST_CASE(an_unsatisfiable_range_is_answered_with_the_length) {
  for (const char* none :
       {"bytes=100-", "bytes=100-200", "bytes=-0", "bytes=99999999999999999999999-", "bytes=100-,200-300,-0"})
    BOOST_TEST(Range(none) == "bytes */100", none);
  BOOST_TEST(Range("bytes=0-", 0) == "bytes */0");
}

BOOST_AUTO_TEST_CASE(malformed_or_multiple_ranges_give_the_whole_body) {
  for (const char* whole : {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-4",
                            "bytes=1-2x", "bytes=+1-2", "bytes=1--2", "bytes=0x1-", "bytes=1 - 2",
                            "lines=1-2", "bytes=0-1,x", "bytes=0-1,5-6", "bytes=0-1,200-300", "bytes=--1"})
    BOOST_TEST(Range(whole) == "whole", whole);
  BOOST_TEST(Range("bytes=-5", 0) == "whole");
  BOOST_TEST(Range("bytes=0-1", 100, {}, "HEAD") == "whole");
  BOOST_TEST(Range("bytes=0-1", 100, {}, "PUT") == "whole");
}

BOOST_AUTO_TEST_CASE(if_range_gives_a_part_only_of_the_same_body) {
  BOOST_TEST(Range("bytes=0-1", 100, {{"if-range", "\"v2\""}}) == "0+2");
  BOOST_TEST(Range("bytes=0-1", 100, {{"if-range", kDate}}) == "0+2");
  for (const char* other : {"\"v1\"", "W/\"v2\"", kBefore, "Sun, 06 Nov 1994 08:49:38 GMT",
                            "Fri, 31 Dec 9999 23:59:59 GMT", "", "v2", "*"})
    BOOST_TEST(Range("bytes=0-1", 100, {{"if-range", other}}) == "whole", other);
  BOOST_TEST(Range("bytes=100-", 100, {{"if-range", "\"v1\""}}) == "whole");
  const auto just_now = Asking("GET", {{"range", "bytes=0-1"}, {"if-range", kDate}});
  BOOST_TEST(!RangeOf(just_now, kNow, 100, kMoment + 600ms).has_value());
}

BOOST_AUTO_TEST_CASE(a_part_is_answered_with_206) {
  const Response part = Partial(Response::Stream([](BodySink&) {}, 100), ByteRange{10, 19, 100});
  BOOST_TEST(part.status == 206);
  BOOST_TEST(part.headers.back().first == "Content-Range");
  BOOST_TEST(part.headers.back().second == "bytes 10-19/100");
  BOOST_TEST(*part.length == 10u);
  const Response whole = Partial(Response::Bytes("abc"), std::nullopt);
  BOOST_TEST(whole.status == 200);
  BOOST_TEST(whole.headers.back().first == "Accept-Ranges");
}

// ---- Cookies

BOOST_AUTO_TEST_CASE(a_cookie_is_found_by_its_whole_name) {
  const Request request = Asking("GET", {{"cookie", "a=1; ab=2;b = 3 ;c=x=y; a=4; =5; d; e=\"q\""}});
  BOOST_TEST(*CookieOf(request, "a") == "1");
  BOOST_TEST(*CookieOf(request, "ab") == "2");
  BOOST_TEST(*CookieOf(request, "b") == "3");
  BOOST_TEST(*CookieOf(request, "c") == "x=y");
  BOOST_TEST(*CookieOf(request, "e") == "\"q\"");
  for (const char* none : {"A", "d", "x"}) BOOST_TEST(!CookieOf(request, none).has_value(), none);
  BOOST_TEST(!CookieOf(Request(), "a").has_value());
}

BOOST_AUTO_TEST_CASE(a_cookie_has_safe_defaults) {
  BOOST_TEST(PrintCookie({.name = "__Host-s", .value = "ab-_."}) ==
             "__Host-s=ab-_.; Path=/; Secure; HttpOnly; SameSite=Lax");
  BOOST_TEST(PrintCookie({.name = "s",
                          .value = "",
                          .path = "/x",
                          .max_age = 0s,
                          .is_secure = false,
                          .is_http_only = false,
                          .same_site = SameSite::kStrict}) == "s=; Path=/x; Max-Age=0; SameSite=Strict");
}

BOOST_AUTO_TEST_CASE(a_cookie_that_browsers_would_misread_is_an_internal_error) {
  const std::vector<Cookie> bad = {
      {.name = ""},
      {.name = "a b"},
      {.name = "a=b"},
      {.name = "a", .value = "x;y"},
      {.name = "a", .value = "x y"},
      {.name = "a", .value = "x\r\ny"},
      {.name = "a", .value = "\u00e9"},
      {.name = "a", .value = "x", .path = "x"},
      {.name = "a", .value = "x", .path = "/;x"},
      {.name = "a", .value = "x", .path = "/", .max_age = -1s},
      {.name = "a", .value = "x", .is_secure = false, .same_site = SameSite::kNone},
      {.name = "__Host-a", .value = "x", .path = "/x"},
      {.name = "__Secure-a", .value = "x", .is_secure = false},
      {.name = "a", .value = std::string(5000, 'x')}};
  for (const Cookie& cookie : bad)
    BOOST_TEST(CodeOf([&] { PrintCookie(cookie); }) == "internal", cookie.name);
}
