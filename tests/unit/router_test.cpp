// fcgi/router: matches requests against the table of routes.
#include "fcgi/router.h"

#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>

using namespace syncline;
using front::Match;
using front::Router;

namespace {

Response Ok(Request&, Context&) {
  return Response::Empty();
}
Response Render(const Error&, const Request&) {
  return Response::Empty();
}
std::optional<Identity> Nobody(Request&, Context&) {
  return std::nullopt;
}

const Dialect kOne{.service = "one", .authenticate = Nobody, .render_error = Render};
const Dialect kTwo{.service = "two", .render_error = Render};

Route Row(const char* method, const char* pattern, const Dialect* dialect = &kOne,
          Auth auth = Auth::kPublic) {
  return {method, pattern, "test.operation", auth, sql::Access::kRead, 10, std::chrono::seconds(1),
          Ok,     dialect};
}

const Dialect kSlashes{.service = "slashes", .render_error = Render, .redirects_slashes = true};

const Dialect kLenient{.service = "lenient", .render_error = Render, .ignores_slashes = true};
const Dialect kLenientToo{.service = "lenient", .render_error = Render, .ignores_slashes = true};

const Route kRows[] = {
    Row("GET", "/one"),
    Row("POST", "/one"),
    Row("PUT", "/one/{deck}"),
    Row("GET", "/one/special"),
    Row("GET", "/two", &kTwo),
    Row("GET", "/one/{deck}/cards/{card}"),
    Row("GET", "/"),
    Row("GET", "/one/{deck}/x"),
    Row("PROPFIND", "/dav/{path...}"),
    Row("OPTIONS", "/dav/{path...}"),
    Row("PUT", "/dav/special"),
    Row("POST", "/list/", &kSlashes),
    Row("GET", "/list/{entry}", &kSlashes),
    Row("POST", "/api/auth/login", &kLenient),
    Row("GET", "/api/auth/profile", &kLenientToo),
    Row("GET", "/api/groups/{group}", &kLenient),
    Row("GET", "/api/one", &kOne),
};

const Router& TheRouter() {
  static const Router router({kRows});
  return router;
}

Match Find(const char* method, const std::string& path) {
  // Segments as in a request; none for a path without a leading slash.
  std::vector<std::string> segments;
  for (std::size_t at = 0; path.starts_with('/') && at != std::string::npos;) {
    const std::size_t next = path.find('/', at + 1);
    segments.push_back(path.substr(at + 1, next == std::string::npos ? next : next - at - 1));
    at = next;
  }
  return TheRouter().Find(method, segments);
}

std::string PatternOf(const char* method, const char* path) {
  const Match match = Find(method, path);
  return match.route == nullptr ? "" : match.route->pattern;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_path_finds_its_route) {
  BOOST_TEST(PatternOf("GET", "/one") == "/one");
  BOOST_TEST(PatternOf("PUT", "/one/7") == "/one/{deck}");
  BOOST_TEST(PatternOf("GET", "/") == "/");
}

BOOST_AUTO_TEST_CASE(a_literal_wins_over_a_parameter) {
  BOOST_TEST(PatternOf("GET", "/one/special") == "/one/special");
  BOOST_TEST(PatternOf("GET", "/one/special/x") == "/one/{deck}/x");
}

BOOST_AUTO_TEST_CASE(parameters_get_their_segments) {
  const Match match = Find("GET", "/one/a b/cards/c");
  BOOST_TEST(match.path_params.size() == 2u);
  BOOST_TEST(match.path_params[0].first == "deck");
  BOOST_TEST(match.path_params[0].second == "a b");
  BOOST_TEST(match.path_params[1].first == "card");
  BOOST_TEST(match.path_params[1].second == "c");
}

BOOST_AUTO_TEST_CASE(a_tail_gets_the_rest_of_the_path) {
  const auto path = [](const char* url) {
    const Match match = Find("PROPFIND", url);
    return match.route == nullptr ? "(none)"
                                  : match.path_params.at(0).first + "=" + match.path_params.at(0).second;
  };
  BOOST_TEST(path("/dav/") == "path=");
  BOOST_TEST(path("/dav/a") == "path=a");
  BOOST_TEST(path("/dav/a/b c/") == "path=a/b c/");
  BOOST_TEST(path("/dav") == "(none)");
  BOOST_TEST(path("/dav/a//b") == "(none)");
  BOOST_TEST(path("/dav//a") == "(none)");
  BOOST_TEST(path("/dav//") == "(none)");
}

BOOST_AUTO_TEST_CASE(a_literal_wins_over_a_tail) {
  BOOST_TEST(PatternOf("PUT", "/dav/special") == "/dav/special");
  BOOST_TEST(Find("PROPFIND", "/dav/special").allow == "PUT");
  BOOST_TEST(PatternOf("PROPFIND", "/dav/special/x") == "/dav/{path...}");
}

BOOST_AUTO_TEST_CASE(options_finds_its_route_and_the_methods_of_the_path) {
  BOOST_TEST(PatternOf("OPTIONS", "/dav/x") == "/dav/{path...}");
  BOOST_TEST(Find("OPTIONS", "/dav/x").allow == "PROPFIND, OPTIONS");
}

BOOST_AUTO_TEST_CASE(near_misses_are_misses) {
  for (const char* path : {"", "one", "/One", "/one/", "//one", "/one//x", "/one/a/cards", "/one/a/cards/",
                           "/two/x", "/one/{deck}/y", "/one/a/cards/c/d"}) {
    const Match match = Find("GET", path);
    BOOST_TEST(match.route == nullptr, path);
    BOOST_TEST(match.allow == "", path);
  }
}

BOOST_AUTO_TEST_CASE(another_method_gets_the_list_of_methods) {
  const Match match = Find("DELETE", "/one");
  BOOST_TEST(match.route == nullptr);
  BOOST_TEST(match.allow == "GET, HEAD, POST");
  BOOST_TEST(match.dialect == &kOne);
  BOOST_TEST(Find("", "/one").allow == "GET, HEAD, POST");
}

BOOST_AUTO_TEST_CASE(head_is_served_by_get) {
  BOOST_TEST(PatternOf("HEAD", "/one") == "/one");
  BOOST_TEST(Find("HEAD", "/one/7").allow == "PUT");
}

BOOST_AUTO_TEST_CASE(an_unknown_path_gets_the_dialect_of_its_neighbours) {
  BOOST_TEST(Find("GET", "/one/1/2/3").dialect == &kOne);
  BOOST_TEST(Find("GET", "/two/1").dialect == &kTwo);
  BOOST_TEST(Find("GET", "/three").dialect == nullptr);
}

BOOST_AUTO_TEST_CASE(a_very_long_path_is_a_miss) {
  std::string path;
  for (int i = 0; i < 100'000; ++i) path += "/one";
  BOOST_TEST(Find("GET", path).route == nullptr);
}

BOOST_AUTO_TEST_CASE(errors_in_the_table_throw_at_start) {
  const auto build = [](std::vector<Route> rows) { Router router({std::span<const Route>(rows)}); };
  BOOST_CHECK_THROW(build({Row("GET", "/a"), Row("GET", "/a")}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/{a}"), Row("GET", "/{b}")}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "a")}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/a", &kTwo, Auth::kRequired)}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/a", &kTwo, Auth::kOptional)}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/a", nullptr)}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/a/{b...}/c")}), std::logic_error);
  Route needs_role = Row("GET", "/a");
  needs_role.roles = Roles::kAdmin;
  BOOST_CHECK_THROW(build({needs_role}), std::logic_error);
}

BOOST_AUTO_TEST_CASE(the_table_can_be_printed) {
  BOOST_TEST(Router({std::span<const Route>(kRows, 1)}).Print(Config()) ==
             "GET /one test.operation public read 10\n");
}

BOOST_AUTO_TEST_CASE(slashes_make_no_difference_where_the_dialect_ignores_them) {
  for (const char* path : {"/api/auth/login", "/api/auth/login/", "/api//auth/login", "//api/auth///login//"})
    BOOST_TEST(PatternOf("POST", path) == "/api/auth/login", path);
  const Match match = Find("GET", "/api//groups/17/");
  BOOST_REQUIRE(match.route != nullptr);
  BOOST_TEST(match.path_params.at(0).second == "17");
  BOOST_TEST(Find("GET", "/api//auth/login/").allow == "POST");
  BOOST_TEST(Find("GET", "/api//auth/nothing/").dialect == &kLenient);
  BOOST_TEST(PatternOf("GET", "/api//groups") == "");
  BOOST_TEST(PatternOf("GET", "/api//one") == "");
  BOOST_TEST(PatternOf("GET", "/one/") == "");
}

BOOST_AUTO_TEST_CASE(dialects_of_one_service_share_the_paths_around_them) {
  BOOST_TEST(Find("GET", "/api/auth/nothing").dialect == &kLenient);
  BOOST_TEST(Find("GET", "/api/nothing").dialect == nullptr);
}

BOOST_AUTO_TEST_CASE(a_path_with_other_methods_is_known_by_its_pattern) {
  const Match match = Find("PROPFIND", "/api/groups/secret/");
  BOOST_REQUIRE(match.route == nullptr && match.pattern != nullptr);
  BOOST_TEST(match.pattern == std::string("/api/groups/{group}"));
  BOOST_TEST((Find("GET", "/nothing").pattern == nullptr));
}

BOOST_AUTO_TEST_CASE(a_slash_too_much_or_too_few_is_found_where_the_dialect_redirects) {
  BOOST_CHECK(Find("GET", "/list").slash == Match::Slash::kMissing);
  BOOST_CHECK(Find("GET", "/list/1/").slash == Match::Slash::kExtra);
  for (const char* path :
       {"/list/", "/list/1", "/list/1//", "/list//", "//list", "/List", "/one/", "/list/1/2"})
    BOOST_CHECK_MESSAGE(Find("GET", path).slash == Match::Slash::kRight, path);
}
