// handlers/base/request, and reading FastCGI params in fcgi/fcgi_io.
#include "handlers/base/request.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "fcgi/fcgi_io.h"
#include "handlers/base/errors.h"
#include "tests/support/inputs.h"

using namespace syncline;
using tests::CodeOf;
using tests::PieceBody;

namespace {

front::Received Receive(std::vector<const char*> params) {
  params.push_back(nullptr);
  return front::ReadRequest(params.data());
}

std::string ProblemOf(std::vector<const char*> params) {
  const auto received = Receive(std::move(params));
  return received.problem ? received.problem->code() : "";
}

}  // namespace

BOOST_AUTO_TEST_CASE(params_become_a_request) {
  const auto received = Receive(
      {"FCGI_ROLE=RESPONDER", "REQUEST_METHOD=POST", "DOCUMENT_URI=/ignored", "REQUEST_URI=/a%20b?x",
       "QUERY_STRING=x=1&y=%41+b&x=2", "CONTENT_LENGTH=5", "CONTENT_TYPE=text/plain", "REMOTE_ADDR=10.0.0.1",
       "SYNCLINE_REQUEST_ID=abc-1", "HTTP_ANKI_SYNC={\"v\":11}", "HTTP_IF_MATCH=\"1\"", "SYNCLINE_USER="});
  const Request& request = received.request;
  BOOST_TEST(!received.problem.has_value());
  BOOST_TEST(request.method == "POST");
  BOOST_TEST(request.path == "/a%20b");
  BOOST_TEST(request.segments == std::vector<std::string>{"a b"}, boost::test_tools::per_element());
  BOOST_TEST(request.id == "abc-1");
  BOOST_TEST(request.remote_address == "10.0.0.1");
  BOOST_TEST(*request.content_length == 5u);
  BOOST_TEST(*request.Header("anki-sync") == "{\"v\":11}");
  BOOST_TEST(*request.Header("if-match") == "\"1\"");
  BOOST_TEST(*request.Header("content-type") == "text/plain");
  BOOST_TEST(!request.Header("syncline-user").has_value());
  BOOST_TEST(*request.Query("x") == "1");
  BOOST_TEST(*request.Query("y") == "A b");
  BOOST_TEST(!request.Query("z").has_value());
}

BOOST_AUTO_TEST_CASE(a_client_cannot_send_the_params_of_nginx) {
  const auto received =
      Receive({"REQUEST_METHOD=GET", "REQUEST_URI=/", "HTTP_SYNCLINE_USER=7", "HTTP_SYNCLINE=7"});
  BOOST_TEST(!received.request.Header("syncline-user").has_value());
}

BOOST_AUTO_TEST_CASE(a_raw_uri_is_split_then_decoded_once_and_cut_at_its_query) {
  const auto received = Receive({"REQUEST_METHOD=GET", "REQUEST_URI=/a%20b/%2541/?c=/d"});
  const std::vector<std::string> expected = {"a b", "%41", ""};
  BOOST_TEST(received.request.segments == expected, boost::test_tools::per_element());
  BOOST_TEST(ProblemOf({"REQUEST_METHOD=GET", "REQUEST_URI=/a%zz"}) == "bad_percent_encoding");
  BOOST_TEST(ProblemOf({"REQUEST_METHOD=GET", "REQUEST_URI=/a%4"}) == "bad_percent_encoding");
}

BOOST_AUTO_TEST_CASE(paths_that_could_mean_another_path_are_refused) {
  for (const char* uri : {"REQUEST_URI=/a/../b", "REQUEST_URI=/..", "REQUEST_URI=/a/%2e%2e/b",
                          "REQUEST_URI=/./a", "REQUEST_URI=/a%00b", "REQUEST_URI=/a%2Fb", "REQUEST_URI=/a#b",
                          "REQUEST_URI=/a%2fb", "REQUEST_URI=/%ff", "REQUEST_URI=/a%ed%a0%80",
                          "REQUEST_URI=a", "REQUEST_URI=", "REQUEST_URI=http://x/"}) {
    BOOST_TEST(ProblemOf({"REQUEST_METHOD=GET", uri}) == "bad_path", uri);
  }
  BOOST_TEST(ProblemOf({"REQUEST_METHOD=GET", "REQUEST_URI=/a..b/...c"}) == "");
}

BOOST_AUTO_TEST_CASE(invalid_lengths_are_refused) {
  for (const char* length : {"CONTENT_LENGTH=-1", "CONTENT_LENGTH=1x", "CONTENT_LENGTH=+1",
                             "CONTENT_LENGTH= 1", "CONTENT_LENGTH=0x10"}) {
    BOOST_TEST(ProblemOf({"REQUEST_METHOD=POST", "REQUEST_URI=/", length}) == "bad_content_length", length);
  }
  const auto huge =
      Receive({"REQUEST_METHOD=POST", "REQUEST_URI=/", "CONTENT_LENGTH=99999999999999999999999"});
  BOOST_TEST(!huge.problem.has_value());
  BOOST_TEST(*huge.request.content_length == SIZE_MAX);
  BOOST_TEST(!Receive({"REQUEST_METHOD=POST", "REQUEST_URI=/", "CONTENT_LENGTH="})
                  .request.content_length.has_value());
}

BOOST_AUTO_TEST_CASE(params_without_a_request_do_not_crash) {
  BOOST_TEST(!front::ReadRequest(nullptr).request.id.empty());
  BOOST_TEST(ProblemOf({}) == "no_method");
  BOOST_TEST(ProblemOf({"", "=", "=x", "nothing", "HTTP_=", "HTTP_"}) == "no_method");
}

BOOST_AUTO_TEST_CASE(a_request_id_that_could_forge_a_log_line_is_replaced) {
  for (const char* id :
       {"SYNCLINE_REQUEST_ID=a b", "SYNCLINE_REQUEST_ID=a\r\nSet-Cookie: x", "SYNCLINE_REQUEST_ID="}) {
    const std::string made = Receive({"REQUEST_METHOD=GET", "REQUEST_URI=/", id}).request.id;
    BOOST_TEST(made.size() == 16u);
  }
}

BOOST_AUTO_TEST_CASE(a_body_at_the_limit_is_read_and_one_byte_more_is_refused) {
  for (const bool known : {true, false}) {
    PieceBody body(std::string(1000, 'x'), 7);
    Request request;
    request.body = &body;
    if (known) request.content_length = 1000;
    BOOST_TEST(request.ReadBody(1000).size() == 1000u);
    PieceBody again(std::string(5000, 'x'), 7);
    request.body = &again;
    BOOST_TEST(CodeOf([&] { request.ReadBody(999); }) == "body_too_large");
    BOOST_TEST(again.at() <= 1000u);
  }
}

BOOST_AUTO_TEST_CASE(no_body_is_an_empty_body) {
  Request request;
  BOOST_TEST(request.ReadBody(0).empty());
  PieceBody body("", 7);
  request.body = &body;
  BOOST_TEST(request.ReadBody(0).empty());
}

BOOST_AUTO_TEST_CASE(a_large_body_of_unknown_length_is_complete) {
  std::string text(200'000, 'x');
  text.back() = 'y';
  PieceBody body(text, 7);
  Request request;
  request.body = &body;
  BOOST_TEST((request.ReadBody(1 << 20) == text));
}

BOOST_AUTO_TEST_CASE(unknown_path_params_are_an_internal_error) {
  Request request;
  request.path_params = {{"deck", "1"}};
  BOOST_TEST(request.PathParam("deck") == "1");
  BOOST_TEST(CodeOf([&] { request.PathParam("card"); }) == "internal");
}

BOOST_AUTO_TEST_CASE(query_values_that_the_database_could_not_store_are_refused) {
  Request request;
  request.query = "a=%ff&b=x%00y&c=%C3%BC&d=%";
  BOOST_TEST(CodeOf([&] { request.Query("a"); }) == "bad_query");
  BOOST_TEST(CodeOf([&] { request.Query("b"); }) == "bad_query");
  BOOST_TEST(*request.Query("c") == "\u00fc");
  BOOST_TEST(CodeOf([&] { request.Query("d"); }) == "bad_percent_encoding");
}

BOOST_AUTO_TEST_CASE(kept_values_are_found_by_their_type) {
  Request request;
  BOOST_TEST(request.Kept<int>() == nullptr);
  const int& number = request.Keep(7);
  const std::string& text = request.Keep(std::string(1000, 'x'));
  BOOST_TEST(request.Kept<int>() == &number);
  BOOST_TEST(request.Kept<std::string>() == &text);
  BOOST_TEST(request.Kept<long>() == nullptr);
}
