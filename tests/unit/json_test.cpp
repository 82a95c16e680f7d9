// handlers/base/json, json_input, json_writer and utf8.
#include "handlers/base/json.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "handlers/base/json_input.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/utf8.h"
#include "tests/support/linear_time.h"

using namespace syncline;

namespace {

std::size_t OffsetOf(std::string_view text) {
  try {
    static_cast<void>(JsonSpans(text));
  } catch (const BadJson& e) {
    return e.offset();
  }
  return std::string::npos;
}

// The problems of a body, each as "type place;".
template <typename Read>
std::string ProblemsOf(std::string_view body, Read read, JsonRules rules = {}) {
  std::string text;
  try {
    ReadJson(body, read, rules);
  } catch (const InputError& error) {
    for (const InputProblem& problem : error.problems())
      text += problem.type + " " + PointerOf(problem.place) + ";";
  }
  return text;
}

// The type of the problem found when reading one value of {"v": VALUE}, or "".
template <typename Read>
std::string Found(std::string_view value, Read read, JsonRules rules = {}) {
  const std::string body = "{\"v\":" + std::string(value) + "}";
  std::string problem = ProblemsOf(
      body, [&](const JsonObject& in) { return read(in["v"]); }, rules);
  return problem.substr(0, problem.find(' '));
}

std::string IntOf(std::string_view value, JsonRules rules = {}, std::int64_t min = JsonValue::kMinInt,
                  std::int64_t max = JsonValue::kMaxInt) {
  std::int64_t number = 0;
  const std::string problem = Found(
      value, [&](const JsonValue& v) { return number = v.Int(min, max); }, rules);
  return problem.empty() ? std::to_string(number) : problem;
}

class Collect : public BodySink {
 public:
  void Write(std::string_view bytes) override {
    text += bytes;
    longest = std::max(longest, bytes.size());
    ++pieces;
  }
  std::string text;
  std::size_t longest = 0, pieces = 0;
};

ErrorKind KindOf(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.kind();
  }
  throw std::runtime_error("nothing was thrown");
}

}  // namespace

// ---- Spans

BOOST_AUTO_TEST_CASE(json_beyond_the_limits_is_refused) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  BOOST_CHECK_NO_THROW(JsonSpans(nested(JsonSpans::kMaxDepth)));
  BOOST_CHECK_THROW(JsonSpans(nested(JsonSpans::kMaxDepth + 1)), BadJson);
  BOOST_CHECK_THROW(JsonSpans(nested(1'000'000)), BadJson);
  std::string many = "[0";
  for (int i = 0; i < 1'100'000; ++i) many += ",0";
  BOOST_CHECK_THROW(JsonSpans(many + "]"), BadJson);
  const std::string nul("{}\0x", 4);
  for (const std::string bad : {"", "{", "{} {}", "[1,]", "{\"a\":1,}", "nul", "01", "1.", "+1", "\"\xFF\"",
                                "\"\\ud800\"", "\"\\udc00\"", "1e999", "[NaN]", "'a'", "\"\n\""})
    BOOST_CHECK_THROW(JsonSpans{bad}, BadJson);
  BOOST_CHECK_THROW(JsonSpans{nul}, BadJson);
}

BOOST_AUTO_TEST_CASE(spans_are_the_original_text) {
  const std::string text =
      " { \"a\\u00e9\" : [ 1.50 , -9223372036854775808,\"x\\ny\" , {} ] , \"b\":null,\"c\":false } ";
  const JsonSpans json(text);
  std::string seen;
  json.EachIn(json.Root(), [&](const auto& value) {
    seen += std::string(json.Key(value)) + "=" + std::string(json.Raw(value)) + ";";
    json.EachIn(value, [&](const auto& inner) { seen += std::string(json.Raw(inner)) + ","; });
  });
  BOOST_TEST(seen ==
             "a\u00e9=[ 1.50 , -9223372036854775808,\"x\\ny\" , {} ];1.50,-9223372036854775808,\"x\\ny\",{},"
             "b=null;c=false;");
  const JsonSpans shallow(text, 1);
  seen.clear();
  shallow.EachIn(shallow.Root(), [&](const auto& value) { seen += std::string(shallow.Raw(value)) + ";"; });
  BOOST_TEST(seen == "[ 1.50 , -9223372036854775808,\"x\\ny\" , {} ];null;false;");
}

BOOST_AUTO_TEST_CASE(strings_are_decoded_when_asked_for) {
  const std::string text =
      R"(["", "plain", "\"\\\/\b\f\n\r\t", "a\u0000b\u00E9\u20ac\uD83D\uDe00\u007f", 5])";
  const JsonSpans json(text);
  std::vector<std::string> seen;
  json.EachIn(json.Root(), [&](const auto& value) { seen.push_back(json.Text(value)); });
  const std::vector<std::string> expected = {"", "plain", "\"\\/\b\f\n\r\t",
                                             std::string("a\0b\u00e9\u20ac\U0001F600\x7f", 13), ""};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
  for (const std::string& one : expected) {
    const std::string quoted = QuoteJson(one);
    const JsonSpans again(quoted);
    BOOST_TEST(again.Text(again.Root()) == one);
  }
}

BOOST_AUTO_TEST_CASE(the_number_of_values_is_never_underestimated) {
  for (const std::string json :
       {R"({"a":[1,2,{"b":[]}],"c":{}})", "[]", "0", "[0,0,0]", R"(["a,b",[[[]]]])"}) {
    std::size_t count = 1;
    const JsonSpans spans(json);
    const auto visit = [&](const auto& self, const JsonSpans::Value& value) -> void {
      spans.EachIn(value, [&](const JsonSpans::Value& inner) {
        ++count;
        self(self, inner);
      });
    };
    visit(visit, spans.Root());
    BOOST_TEST(MayHoldMoreValuesThan(json, count - 1), json);
  }
  BOOST_TEST(!MayHoldMoreValuesThan("[1,2,3]", 4));
  BOOST_TEST(!MayHoldMoreValuesThan(R"({"text":"no more than one value"})", 2));
}

BOOST_AUTO_TEST_CASE(a_member_is_found_by_its_key_and_the_last_one_counts) {
  BOOST_TEST((FindMember(R"({"a": 1, "b": {"a": 2}, "a": 3})", "a") == "3"));
  BOOST_TEST((FindMember(R"({"\u0061": [1 , 2]})", "a") == "[1 , 2]"));
  BOOST_TEST(!FindMember(R"({"b": {"a": 1}})", "a"));
  BOOST_TEST(!FindMember("[1]", ""));
  BOOST_CHECK_THROW(FindMember("{", "a"), BadJson);
}

BOOST_AUTO_TEST_CASE(a_whole_number_has_only_digits) {
  BOOST_TEST(WholeNumber("0").value() == 0);
  BOOST_TEST(WholeNumber("-9223372036854775808").value() == std::numeric_limits<std::int64_t>::min());
  BOOST_TEST(WholeNumber("9223372036854775807").value() == std::numeric_limits<std::int64_t>::max());
  for (const char* none : {"", "-", "-0", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808"}) {
    BOOST_TEST(!WholeNumber(none), none);
  }
}

BOOST_AUTO_TEST_CASE(an_error_has_its_offset) {
  BOOST_TEST(OffsetOf("") == 0u);
  BOOST_TEST(OffsetOf(R"({"a": nul})") == 9u);
  BOOST_TEST(OffsetOf(R"([1, 2 3])") == 6u);
  BOOST_TEST(OffsetOf("{} {}") == 3u);
  BOOST_TEST(OffsetOf(R"([1, "\ud800"])") == 5u);
  BOOST_TEST(OffsetOf(R"([1, "\udc00"])") == 4u);
  BOOST_TEST(OffsetOf("[ 1e999]") == 2u);
  BOOST_TEST(OffsetOf(std::string(200, '[')) == 128u);
  BOOST_TEST(OffsetOf("[]") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_duplicate_key_is_found_at_any_depth) {
  BOOST_TEST(HasDuplicateKeys(R"({"a":1,"b":[{"c":1,"c":2}]})"));
  BOOST_TEST(!HasDuplicateKeys(R"({"a":1,"b":[{"c":1},{"c":2}]})"));
  BOOST_TEST(HasDuplicateKeys(R"({"a":1,"b":2,"\u0061":3})"));
  const std::string text = R"({"a":1,"b":2,"a":3})";
  const JsonSpans json(text);
  BOOST_TEST(json.Raw(*json.FindDuplicateKey()) == "3");
}

BOOST_AUTO_TEST_CASE(many_small_objects_next_to_a_large_one_are_checked_in_linear_time) {
  BOOST_TEST(tests::IsLinear(20'000, [](std::size_t size) {
    std::string text = "[{\"k\":0";
    for (std::size_t i = 0; i < size; ++i) text += ",\"k" + std::to_string(i) + "\":0";
    text += '}';
    for (std::size_t i = 0; i < size; ++i) text += ",{}";
    text += ']';
    BOOST_TEST(!HasDuplicateKeys(text));
  }));
}

// ---- Reading a body

BOOST_AUTO_TEST_CASE(members_become_values) {
  constexpr std::string_view kStatuses[] = {"watching", "dropped"};
  const std::string body = R"({"name":"\u00e9l","page":9223372036854775807,"ratio":0.5,"on":true,
      "status":"dropped","tags":["a","b"],"owner":{"id":7},"note":null,"extra":[1]})";
  struct Entry {
    std::string name;
    std::int64_t page;
    double ratio;
    bool is_on;
    std::size_t status;
    std::vector<std::string> tags;
    std::int64_t owner;
    std::optional<std::string> note;
    std::optional<std::int64_t> missing;
  };
  const Entry entry = ReadJson(body, [&](const JsonObject& in) {
    return Entry{in.Text("name", 2),
                 in.Int("page"),
                 in.Double("ratio", 0, 1),
                 in.Bool("on"),
                 in.Choice("status", kStatuses),
                 in.List("tags", 2, [](const JsonValue& tag) { return tag.Text(1); }),
                 in.Object("owner").Int("id"),
                 in.Maybe("note").Text(10),
                 in.Maybe("missing").Int()};
  });
  BOOST_TEST(entry.name == "\u00e9l");
  BOOST_TEST(entry.page == std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(entry.ratio == 0.5);
  BOOST_TEST(entry.is_on);
  BOOST_TEST(entry.status == 1u);
  BOOST_TEST(entry.tags.size() == 2u);
  BOOST_TEST(entry.tags.back() == "b");
  BOOST_TEST(entry.owner == 7);
  BOOST_TEST(!entry.note.has_value());
  BOOST_TEST(!entry.missing.has_value());
}

BOOST_AUTO_TEST_CASE(all_problems_are_reported_at_once_with_their_places) {
  const auto read = [](const JsonObject& in) {
    in.Text("name", 3);
    in.Text("name", 2);  // a place is reported once
    in.Int("page", 1, 10);
    in.List("items", 5, [](const JsonValue& item) { return item.Object().Object("a/b").Text("c~d", 5); });
    in.Maybe("maybe").Bool();
    return 0;
  };
  BOOST_TEST(
      ProblemsOf(R"({"page":11,"items":[{"a/b":{"c~d":"x"}},{"a/b":{"c~d":5}},7,{"a/b":{}}],"maybe":0})",
                 read) ==
      "missing /name;less_than_equal /page;string_type /items/1/a~1b/c~0d;model_attributes_type "
      "/items/2;missing /items/3/a~1b/c~0d;bool_type /maybe;");
}

BOOST_AUTO_TEST_CASE(a_problem_has_the_words_of_fastapi) {
  try {
    ReadJson(R"({"page": 0})", [](const JsonObject& in) { return in.Int("page", 1, 10); });
    BOOST_ERROR("nothing was thrown");
  } catch (const Error& error) {
    BOOST_TEST((error.kind() == ErrorKind::kBadInput));
    BOOST_TEST(error.code() == "greater_than_equal");
    const auto& problem = dynamic_cast<const InputError&>(error).problems().at(0);
    BOOST_TEST(problem.message == "Input should be greater than or equal to 1");
    BOOST_TEST(problem.context == R"({"ge":1})");
    BOOST_TEST(problem.input == "0");
    BOOST_TEST(*problem.offset == 9u);
  }
}

BOOST_AUTO_TEST_CASE(wrong_type_invalid_json_and_no_body_are_distinguished) {
  const auto read = [](const JsonObject& in) { return in.Int("a"); };
  BOOST_TEST(ProblemsOf("[]", read) == "model_attributes_type ;");
  BOOST_TEST(ProblemsOf("{\"a\":", read) == "json_invalid ;");
  BOOST_TEST(ProblemsOf("", read) == "missing ;");
  BOOST_TEST(ProblemsOf(" \n", read) == "missing ;");
  BOOST_TEST(ProblemsOf("null", read) == "missing ;");
  BOOST_TEST(ProblemsOf(R"({"a":1,"x":[{"b":1,"b":1}]})", read) == "duplicate_key /x/0/b;");
  BOOST_TEST(ProblemsOf("[1,true]", [](const JsonValue& in) {
               return in.List(9, [](const JsonValue& e) { return e.Int(); }).size();
             }) == "int_type /1;");
}

BOOST_AUTO_TEST_CASE(an_integer_is_read_by_its_digits) {
  for (const char* five : {"5", "5.0", "5.000", "5e0", "50e-1", "0.5e1", "0.05E+2", "500.00e-2"})
    BOOST_TEST(IntOf(five) == "5", five);
  for (const char* zero : {"0", "-0", "0.0", "-0.0", "0e-5"}) BOOST_TEST(IntOf(zero) == "0", zero);
  BOOST_TEST(IntOf("9223372036854775807.0") == "9223372036854775807");
  BOOST_TEST(IntOf("-9223372036854775808") == "-9223372036854775808");
  BOOST_TEST(IntOf("9223372036854775808") == "less_than_equal");
  BOOST_TEST(IntOf("-9223372036854775809") == "greater_than_equal");
  BOOST_TEST(IntOf("1e300") == "less_than_equal");
  BOOST_TEST(IntOf("-1e300") == "greater_than_equal");
  // As a double, 4.99... would be 5.
  for (const char* fraction : {"5.5", "4.99999999999999999999999", "9007199254740993.5", "1e-1", "1e-999"})
    BOOST_TEST(IntOf(fraction) == "int_from_float", fraction);
  for (const char* other : {"\"5\"", "true", "null", "[5]", "{}"})
    BOOST_TEST(IntOf(other) == "int_type", other);
  BOOST_TEST(IntOf("10", {}, 0, 9) == "less_than_equal");
  BOOST_TEST(IntOf("-1", {}, 0, 9) == "greater_than_equal");
}

BOOST_AUTO_TEST_CASE(numbers_in_strings_are_accepted_only_by_lax_rules) {
  constexpr JsonRules kLax{.numbers_in_strings = true};
  BOOST_TEST(IntOf("\"5\"", kLax) == "5");
  BOOST_TEST(IntOf("\"-5.0\"", kLax) == "-5");
  for (const char* five : {"\"+5\"", "\" 5 \"", "\"005\"", "\"5.00\""})
    BOOST_TEST(IntOf(five, kLax) == "5", five);
  for (const char* none :
       {"\"\"", "\"-\"", "\".5\"", "\"e5\"", "\"5e\"", "\"5e1x\"", "\"0x5\"", "\"5.\"", "\"1e3\"", "\"5.5\"",
        "\"--5\"", "\"+-5\"", "\"1_0\"", "\"nan\"", "\"5.e.\"", "\"1-2\""})
    BOOST_TEST(IntOf(none, kLax) == "int_parsing", none);
  BOOST_TEST(IntOf("true", kLax) == "int_type");
  const auto number = [](const JsonValue& v) { return v.Double(-1e9, 1e9); };
  for (const char* good : {"\"7.5\"", "\".5\"", "\"5.\"", "\"+7\"", "\" 1e1 \"", "\"1e-999\""})
    BOOST_TEST(Found(good, number, kLax) == "", good);
  for (const char* none : {"\"\"", "\"1x\"", "\"0x1\"", "\"+\"", "\"1_0\""})
    BOOST_TEST(Found(none, number, kLax) == "float_parsing", none);
  for (const char* high : {"\"inf\"", "\"1e999\"", "\"0.1e999\""})
    BOOST_TEST(Found(high, number, kLax) == "less_than_equal", high);
  for (const char* low : {"\"nan\"", "\"-inf\"", "\"-1e999\""})
    BOOST_TEST(Found(low, number, kLax) == "greater_than_equal", low);
  BOOST_TEST(Found("\"7.5\"", number) == "float_type");
}

BOOST_AUTO_TEST_CASE(a_double_is_inside_its_bounds) {
  const auto number = [](const JsonValue& v) { return v.Double(-1, 10); };
  for (const char* good : {"0", "-1", "10", "10.0", "1e-999", "9.99"})
    BOOST_TEST(Found(good, number) == "", good);
  BOOST_TEST(Found("10.01", number) == "less_than_equal");
  BOOST_TEST(Found("-1.01", number) == "greater_than_equal");
  BOOST_TEST(Found("null", number) == "float_type");
}

BOOST_AUTO_TEST_CASE(texts_are_counted_in_characters_and_contain_no_nul) {
  const auto text = [](const JsonValue& v) { return v.Text(3, 2); };
  BOOST_TEST(Found("\"\u00e9\u00e9\u00e9\"", text) == "");
  BOOST_TEST(Found("\"\U0001F600a\"", text) == "");
  BOOST_TEST(Found("\"abcd\"", text) == "string_too_long");
  BOOST_TEST(Found("\"a\"", text) == "string_too_short");
  BOOST_TEST(Found("\"a\\u0000\"", text) == "value_error");
  BOOST_TEST(Found("5", text) == "string_type");
}

BOOST_AUTO_TEST_CASE(a_choice_is_exactly_one_of_the_words) {
  constexpr std::string_view kWords[] = {"a", "b", "c"};
  const auto choice = [&](const JsonValue& v) { return v.Choice(kWords); };
  BOOST_TEST(Found("\"c\"", choice) == "");
  for (const char* none : {"\"A\"", "\"\"", "1", "null"}) BOOST_TEST(Found(none, choice) == "enum", none);
  try {
    ReadJson("{\"v\":1}", [&](const JsonObject& in) { return in.Choice("v", kWords); });
  } catch (const InputError& error) {
    BOOST_TEST(error.problems().at(0).message == "Input should be 'a', 'b' or 'c'");
  }
}

BOOST_AUTO_TEST_CASE(missing_and_null_are_distinguished) {
  const auto read = [](std::string_view body) {
    return ReadJson(body, [](const JsonObject& in) {
      const auto score = in.Find("score");
      return std::string(!score ? "missing" : score->IsNull() ? "null" : "value");
    });
  };
  BOOST_TEST(read("{}") == "missing");
  BOOST_TEST(read("{\"score\":null}") == "null");
  BOOST_TEST(read("{\"score\":0}") == "value");
}

BOOST_AUTO_TEST_CASE(unknown_keys_are_refused_only_where_a_handler_says_so) {
  const auto lax = [](const JsonObject& in) { return in.Int("a"); };
  const auto strict = [](const JsonObject& in) {
    in.Int("a");
    in.Maybe("b").Int();
    in.RefuseOthers();
    return 0;
  };
  BOOST_TEST(ProblemsOf(R"({"x":0,"a":1})", lax) == "");
  BOOST_TEST(ProblemsOf(R"({"x":0,"a":1,"b":2,"y":0})", strict) == "extra_forbidden /x;extra_forbidden /y;");
  BOOST_TEST(ProblemsOf(R"({"a":1})", strict) == "");
}

BOOST_AUTO_TEST_CASE(a_service_rule_is_reported_like_any_other) {
  BOOST_TEST(ProblemsOf(R"({"email":"x"})", [](const JsonObject& in) {
               const JsonValue email = in["email"];
               if (email.Text(100).find('@') == std::string::npos) email.Refuse("value_error", "no address");
               return 0;
             }) == "value_error /email;");
}

BOOST_AUTO_TEST_CASE(a_body_with_many_problems_is_read_in_linear_time) {
  BOOST_TEST(tests::IsLinear(50'000, [](std::size_t size) {
    std::string body = "[0";
    for (std::size_t i = 0; i < size; ++i) body += ",0";
    body += ']';
    try {
      ReadJson(body, [](const JsonValue& in) {
        return in.List(1'000'000, [](const JsonValue& e) { return e.Text(1); }).size();
      });
      BOOST_ERROR("nothing was thrown");
    } catch (const InputError& error) {
      BOOST_TEST(error.problems().size() == InputProblems::kMax);
    }
  }));
}

BOOST_AUTO_TEST_CASE(reported_places_and_inputs_are_short_for_any_input) {
  const std::string body = "{\"" + std::string(10'000, 'k') + "\":\"" + std::string(10'000, 'v') + "\"}";
  try {
    ReadJson(body, [](const JsonObject& in) {
      in.RefuseOthers();
      return 0;
    });
    BOOST_ERROR("nothing was thrown");
  } catch (const InputError& error) {
    BOOST_TEST(PointerOf(error.problems().at(0).place).size() < 200u);
    BOOST_TEST(error.problems().at(0).input.empty());
  }
}

BOOST_AUTO_TEST_CASE(problems_of_path_and_body_are_reported_together) {
  InputProblems problems;
  problems.Add({.type = "int_parsing", .source = "path", .place = {std::string("id")}});
  try {
    ReadJson(
        "{}", [](const JsonObject& in) { return in.Int("id"); }, {}, problems);
    BOOST_ERROR("nothing was thrown");
  } catch (const InputError& error) {
    BOOST_TEST(error.problems().size() == 2u);
    BOOST_TEST(error.code() == "int_parsing");
  }
}

// ---- Writing

BOOST_AUTO_TEST_CASE(written_values_are_json) {
  JsonWriter json;
  json.Object().Add("id", 3).Object("owner").Add("name", "A\"\\\n\x01").End().Array("tags");
  json.Add("a").Array().End().Object().End().Add(nullptr).Add(true).End();
  json.Add("raw", RawJson{"[1, 2]"}).Add("none", std::optional<int>()).Add("some", std::optional<int>(4));
  json.Add("list", std::vector<std::int64_t>{1, 2}).Add("", std::vector<std::string>{});
  BOOST_TEST(json.Finish() == R"({"id":3,"owner":{"name":"A\"\\\n\u0001"},"tags":["a",[],{},null,true],)"
                              R"("raw":[1, 2],"none":null,"some":4,"list":[1,2],"":[]})");
  BOOST_TEST(JsonWriter().Add("alone").Finish() == "\"alone\"");
}

BOOST_AUTO_TEST_CASE(finish_closes_open_arrays_and_objects) {
  JsonWriter json;
  json.Object().Array("a").Object();
  BOOST_TEST(json.Finish() == R"({"a":[{}]})");
}

BOOST_AUTO_TEST_CASE(numbers_are_written_exactly) {
  JsonWriter json;
  json.Array().Add(std::numeric_limits<std::int64_t>::min()).Add(std::numeric_limits<std::uint64_t>::max());
  json.Add(0.1).Add(1e300).Add(-0.0).Add(5.0).Add(1e6).Add(1e16).Add(1e-5).Add(std::nan("")).Add(HUGE_VAL);
  BOOST_TEST(
      json.Finish() ==
      "[-9223372036854775808,18446744073709551615,0.1,1e+300,-0.0,5.0,1000000.0,1e+16,1e-05,null,null]");
}

BOOST_AUTO_TEST_CASE(only_json_content_types_are_accepted) {
  const auto takes = [](const char* type) {
    Request request;
    if (type != nullptr) request.headers = {{"content-type", type}};
    try {
      RequireJson(request);
      return true;
    } catch (const Error& error) {
      BOOST_TEST(StatusOf(error.kind()) == 415);
      return false;
    }
  };
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/problem+json"})
    BOOST_TEST(takes(type), type);
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"})
    BOOST_TEST(!takes(type), type);
  BOOST_TEST(!takes(nullptr));
}

BOOST_AUTO_TEST_CASE(invalid_utf8_is_replaced_in_written_texts) {
  BOOST_TEST(JsonWriter().Add("a\xFF\xED\xA0\x80z\xE2\x82").Finish() ==
             "\"a\uFFFD\uFFFD\uFFFD\uFFFDz\uFFFD\uFFFD\"");
}

BOOST_AUTO_TEST_CASE(a_list_of_any_length_is_written_in_pieces) {
  Collect sink;
  JsonWriter json(sink);
  json.Array();
  for (int i = 0; i < 100'000; ++i) json.Object().Add("id", i).End();
  BOOST_TEST(json.Finish() == "");
  BOOST_TEST(sink.pieces > 10u);
  BOOST_TEST(sink.longest < JsonWriter::kPieceBytes + 100);
  std::size_t count = 0;
  const JsonSpans spans(sink.text);
  spans.EachIn(spans.Root(), [&](const auto&) { ++count; });
  BOOST_TEST(count == 100'000u);
}

BOOST_AUTO_TEST_CASE(a_writer_used_in_the_wrong_order_is_an_internal_error) {
  const std::vector<std::function<void(JsonWriter&)>> all = {
      [](JsonWriter& j) { j.Finish(); },
      [](JsonWriter& j) { j.End(); },
      [](JsonWriter& j) { j.Add(1).Add(2); },
      [](JsonWriter& j) { j.Object().Add(1); },
      [](JsonWriter& j) { j.Array().Add("k", 1); },
      [](JsonWriter& j) { j.Add("k", 1); },
      [](JsonWriter& j) { j.Array().Add(RawJson{""}); },
  };
  for (const auto& wrong : all) {
    JsonWriter json;
    BOOST_TEST((KindOf([&] { wrong(json); }) == ErrorKind::kInternal));
  }
}

// ---- UTF-8

BOOST_AUTO_TEST_CASE(utf8_is_valid_as_in_rfc_3629) {
  for (const char* good : {"", "abc", "\u00e9", "\u20ac", "\U0001F600", "\uFFFF", "12345678\u00e9"})
    BOOST_TEST(IsUtf8(good), good);
  for (const char* bad :
       {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xE2\x82", "\xF4\x90\x80\x80", "\x80", "1234567\xC3"})
    BOOST_TEST(!IsUtf8(bad), bad);
}

BOOST_AUTO_TEST_CASE(any_bytes_become_text_for_the_database) {
  std::string text("a\0\xFFz\xE2\x82\u20ac", 9);
  MakeText(text);
  BOOST_TEST(text == "a\uFFFDz\uFFFD\uFFFD\u20ac");
  BOOST_TEST(ReplacedInvalid("a\u20ac") == "a\u20ac");
  BOOST_TEST(CountCharacters("a\u20ac\U0001F600") == 3u);
}
