// handlers/base/log: no value can forge a field or a line.
#include "handlers/base/log.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace syncline;

namespace {

std::string Escaped(std::string_view value) {
  std::string out;
  AppendEscaped(out, value);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(harmless_values_are_not_quoted) {
  for (const char* value : {"200", "anki.meta", "2026-01-31T10:22:03.114Z", "/sync/meta", "a-b_c"}) {
    BOOST_TEST(Escaped(value) == value);
  }
}

BOOST_AUTO_TEST_CASE(a_value_cannot_end_its_line_or_field) {
  BOOST_TEST(Escaped("a\nts=1 lvl=info") == "\"a\\nts=1 lvl=info\"");
  BOOST_TEST(Escaped("a user=7") == "\"a user=7\"");
  BOOST_TEST(Escaped("a=b") == "\"a=b\"");
  BOOST_TEST(Escaped("a\" user=\"7") == "\"a\\\" user=\\\"7\"");
  BOOST_TEST(Escaped("\\") == "\"\\\\\"");
  BOOST_TEST(Escaped("") == "\"\"");
}

BOOST_AUTO_TEST_CASE(bytes_outside_ascii_are_escaped) {
  BOOST_TEST(Escaped(std::string_view("\0\r\x1b[31m\xc3\xa9\x7f", 10)) ==
             "\"\\x00\\x0d\\x1b[31m\\xc3\\xa9\\x7f\"");
}

BOOST_AUTO_TEST_CASE(every_byte_becomes_printable) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  for (const char c : Escaped(all)) BOOST_TEST((c >= 0x20 && c < 0x7f));
}

BOOST_AUTO_TEST_CASE(long_values_are_cut_and_marked) {
  const std::string escaped = Escaped(std::string(10'000, 'x'));
  BOOST_TEST(escaped.size() < kLogValueBytes + 10);
  BOOST_TEST(escaped.ends_with("...\""));
}

BOOST_AUTO_TEST_CASE(a_line_is_its_fields_in_order) {
  StartLog("info");
  LogLine line(LogLevel::kInfo);
  line.Add("svc", "anki").Add("user", -7).Add("ms", std::chrono::microseconds(6249)).Add("err", "a b");
  BOOST_TEST(line.text() == "lvl=info svc=anki user=-7 ms=6.2 err=\"a b\"");
}

BOOST_AUTO_TEST_CASE(lines_below_the_level_are_not_built) {
  StartLog("warn");
  BOOST_TEST(LogLine(LogLevel::kInfo).Add("a", "b").text() == "");
  BOOST_TEST(LogLine(LogLevel::kWarn).Add("a", "b").text() == "lvl=warn a=b");
}
