// handlers/base/json: bounds of the parser, and texts that are changed in one place only.
#include "handlers/base/json.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>

#include "handlers/base/errors.h"

using namespace syncline;

namespace {

std::string CodeOf(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

std::string ParseCode(std::string_view text, const JsonLimits& limits = {}) {
  return CodeOf([&] { ParseJson(text, limits); });
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_of_all_kinds_are_read) {
  const auto document =
      ParseJson(R"({"a":[1,-9223372036854775808,18446744073709551615,1.5,true,null,"\u0000x"]})");
  const auto& a = document["a"];
  BOOST_TEST(a[0].GetInt() == 1);
  BOOST_TEST(a[1].GetInt64() == INT64_MIN);
  BOOST_TEST(a[2].GetUint64() == UINT64_MAX);
  BOOST_TEST(a[3].GetDouble() == 1.5);
  BOOST_TEST(a[6].GetStringLength() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_not_json_is_refused) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":}", "nul", "1 2", "{}x", "'a'", "{a:1}", "\"\x01\"",
                           "NaN", "\xef\xbb\xbf{}", "[1]/**/"}) {
    BOOST_TEST(ParseCode(text) == "bad_json", text);
  }
}

BOOST_AUTO_TEST_CASE(a_zero_byte_does_not_hide_what_follows) {
  BOOST_TEST(ParseCode(std::string_view("{}\0x", 4)) == "bad_json");
  BOOST_TEST(ParseCode(std::string_view("\0", 1)) == "bad_json");
}

BOOST_AUTO_TEST_CASE(broken_utf8_is_refused) {
  for (const char* text : {"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xc0\xaf\"", "\"\\ud800\""}) {
    BOOST_TEST(ParseCode(text) == "bad_json");
  }
}

BOOST_AUTO_TEST_CASE(depth_is_bounded_to_the_level) {
  JsonLimits limits;
  limits.depth = 3;
  BOOST_TEST(ParseCode("[[[1]]]", limits) == "");
  BOOST_TEST(ParseCode("[[[[1]]]]", limits) == "bad_json");
  BOOST_TEST(ParseCode(R"({"a":{"b":{"c":1}}})", limits) == "");
  BOOST_TEST(ParseCode(R"({"a":{"b":{"c":{}}}})", limits) == "bad_json");
}

BOOST_AUTO_TEST_CASE(a_million_brackets_exhaust_nothing) {
  BOOST_TEST(ParseCode(std::string(1'000'000, '[')) == "bad_json");
  const std::string nested = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  BOOST_TEST(RawElements(nested).size() == 1u);
}

BOOST_AUTO_TEST_CASE(bytes_and_values_are_bounded) {
  JsonLimits limits;
  limits.values = 4;
  BOOST_TEST(ParseCode("[1,2,3]", limits) == "");
  BOOST_TEST(ParseCode("[1,2,3,4]", limits) == "json_too_large");
  limits.bytes = 6;
  BOOST_TEST(ParseCode("[1,2,3]", limits) == "json_too_large");
}

BOOST_AUTO_TEST_CASE(raw_values_are_the_bytes_that_came) {
  const std::string text =
      R"( {"changes" : {"models":[ {"id": 1.0e3, "x":"}]\"" } ,{"id":2}],"tags":["a"]}} )";
  const auto models = RawElements(*RawAt(text, {"changes", "models"}));
  BOOST_TEST(models.size() == 2u);
  BOOST_TEST(models[0] == R"({"id": 1.0e3, "x":"}]\"" })");
  BOOST_TEST(models[1] == R"({"id":2})");
  BOOST_TEST(!RawAt(text, {"changes", "decks"}).has_value());
  BOOST_TEST(RawElements("[ ]").empty());
}

BOOST_AUTO_TEST_CASE(members_come_with_decoded_keys_in_order) {
  const auto members = RawMembers(R"({"b":1,"\u0061":[2],"":null})");
  BOOST_TEST(members.size() == 3u);
  BOOST_TEST(members[0].first == "b");
  BOOST_TEST(members[1].first == "a");
  BOOST_TEST(members[1].second == "[2]");
  BOOST_TEST(members[2].first == "");
}

BOOST_AUTO_TEST_CASE(raw_functions_refuse_other_types) {
  BOOST_TEST(CodeOf([] { RawElements("{}"); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawMembers("[]"); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawMember("1", "a"); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawElements("[1,2"); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawElements("\"abc"); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawElements("[\"abc\\"); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawMembers(""); }) == "bad_json");
}

BOOST_AUTO_TEST_CASE(a_key_twice_is_refused_however_it_is_spelt) {
  BOOST_TEST(CodeOf([] { SetMembers(R"({"usn":1,"\u0075sn":2})", {{"usn", "3"}}); }) == "bad_json");
  BOOST_TEST(CodeOf([] { SetMembers(R"({"a":1,"a":2})", {{"usn", "3"}}); }) == "bad_json");
  BOOST_TEST(CodeOf([] { RawMember(R"({"a":1,"a":2})", "a"); }) == "bad_json");
}

BOOST_AUTO_TEST_CASE(set_members_keeps_every_other_byte) {
  BOOST_TEST(SetMembers(R"( { "id" : 1.0 , "usn" :-1 , "zz": {"usn":5} } )", {{"usn", "42"}}) ==
             R"( { "id" : 1.0 , "usn" :42 , "zz": {"usn":5} } )");
  BOOST_TEST(SetMembers(R"({"\u0075sn":-1})", {{"usn", "42"}}) == R"({"\u0075sn":42})");
  BOOST_TEST(SetMembers(R"({"a":1})", {{"usn", "42"}, {"mod", "7"}}) == R"({"a":1,"usn":42,"mod":7})");
  BOOST_TEST(SetMembers("{ }", {{"usn", "42"}, {"mod", "7"}}) == R"({ "usn":42,"mod":7})");
  BOOST_TEST(SetMembers(R"({"mod":1,"a":2,"usn":3})", {{"usn", "42"}, {"mod", "7"}}) ==
             R"({"mod":7,"a":2,"usn":42})");
}

BOOST_AUTO_TEST_CASE(quoted_text_reads_back_as_it_was) {
  const std::string text("a\"\\\n\t\x01\0\xc3\xa9z", 10);
  const auto document = ParseJson(JsonQuoted(text));
  BOOST_TEST(std::string(document.GetString(), document.GetStringLength()) == text);
}
