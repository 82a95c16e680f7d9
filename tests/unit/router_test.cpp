// fcgi/router: the table decides.
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
Identity Nobody(const Request&, Context&) {
  return {};
}

const Dialect kOne{"one", Nobody, Render, {}};
const Dialect kTwo{"two", nullptr, Render, {}};

Route Row(const char* method, const char* pattern, const Dialect* dialect = &kOne,
          Auth auth = Auth::kPublic) {
  return {method, pattern, "test.operation", auth, sql::Access::kRead, 10, std::chrono::seconds(1),
          Ok,     dialect};
}

const Route kRows[] = {
    Row("GET", "/one"),        Row("POST", "/one"),
    Row("PUT", "/one/{deck}"), Row("GET", "/one/special"),
    Row("GET", "/two", &kTwo), Row("GET", "/one/{deck}/cards/{card}"),
    Row("GET", "/"),           Row("GET", "/one/{deck}/x"),
};

const Router& TheRouter() {
  static const Router router({kRows});
  return router;
}

std::string PatternOf(const char* method, const char* path) {
  const Match match = TheRouter().Find(method, path);
  return match.route == nullptr ? "" : match.route->pattern;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_path_finds_its_row) {
  BOOST_TEST(PatternOf("GET", "/one") == "/one");
  BOOST_TEST(PatternOf("PUT", "/one/7") == "/one/{deck}");
  BOOST_TEST(PatternOf("GET", "/") == "/");
}

BOOST_AUTO_TEST_CASE(a_literal_wins_over_a_name) {
  BOOST_TEST(PatternOf("GET", "/one/special") == "/one/special");
  BOOST_TEST(PatternOf("GET", "/one/special/x") == "/one/{deck}/x");
}

BOOST_AUTO_TEST_CASE(names_get_their_segments) {
  const Match match = TheRouter().Find("GET", "/one/a b/cards/c");
  BOOST_TEST(match.path_params.size() == 2u);
  BOOST_TEST(match.path_params[0].first == "deck");
  BOOST_TEST(match.path_params[0].second == "a b");
  BOOST_TEST(match.path_params[1].first == "card");
  BOOST_TEST(match.path_params[1].second == "c");
}

BOOST_AUTO_TEST_CASE(near_misses_are_misses) {
  for (const char* path : {"", "one", "/One", "/one/", "//one", "/one//x", "/one/a/cards", "/one/a/cards/",
                           "/two/x", "/one/{deck}/y", "/one/a/cards/c/d"}) {
    const Match match = TheRouter().Find("GET", path);
    BOOST_TEST(match.route == nullptr, path);
    BOOST_TEST(match.allow == "", path);
  }
}

BOOST_AUTO_TEST_CASE(another_method_gets_the_list_of_methods) {
  const Match match = TheRouter().Find("DELETE", "/one");
  BOOST_TEST(match.route == nullptr);
  BOOST_TEST(match.allow == "GET, HEAD, POST");
  BOOST_TEST(match.dialect == &kOne);
  BOOST_TEST(TheRouter().Find("", "/one").allow == "GET, HEAD, POST");
}

BOOST_AUTO_TEST_CASE(head_is_served_by_get) {
  BOOST_TEST(PatternOf("HEAD", "/one") == "/one");
  BOOST_TEST(TheRouter().Find("HEAD", "/one/7").allow == "PUT");
}

BOOST_AUTO_TEST_CASE(errors_look_like_those_of_the_neighbours) {
  BOOST_TEST(TheRouter().Find("GET", "/one/1/2/3").dialect == &kOne);
  BOOST_TEST(TheRouter().Find("GET", "/two/1").dialect == &kTwo);
  BOOST_TEST(TheRouter().Find("GET", "/three").dialect == nullptr);
}

BOOST_AUTO_TEST_CASE(a_very_long_path_is_a_miss_and_no_more) {
  std::string path;
  for (int i = 0; i < 100'000; ++i) path += "/one";
  BOOST_TEST(TheRouter().Find("GET", path).route == nullptr);
}

BOOST_AUTO_TEST_CASE(mistakes_in_the_table_end_the_program_at_start) {
  const auto build = [](std::vector<Route> rows) { Router router({std::span<const Route>(rows)}); };
  BOOST_CHECK_THROW(build({Row("GET", "/a"), Row("GET", "/a")}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/{a}"), Row("GET", "/{b}")}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "a")}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/a", &kTwo, Auth::kRequired)}), std::logic_error);
  BOOST_CHECK_THROW(build({Row("GET", "/a", nullptr)}), std::logic_error);
}

BOOST_AUTO_TEST_CASE(the_table_can_be_printed) {
  BOOST_TEST(Router({std::span<const Route>(kRows, 1)}).Print(Config()) ==
             "GET /one test.operation public read 10\n");
}
