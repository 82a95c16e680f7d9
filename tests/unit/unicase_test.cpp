// The collation of names: the order of the client's collation, including its bug.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <string>

#include "handlers/anki/objects/unicase_wire.h"

using namespace syncline::anki;

namespace {

std::string Utf8(std::uint32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
  if (c < 0x10000)
    return {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
            static_cast<char>(0x80 | (c & 63))};
  return {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
          static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
}

}  // namespace

BOOST_AUTO_TEST_CASE(case_makes_no_difference) {
  BOOST_TEST(UnicaseCompare("Default", "dEFAULT") == 0);
  BOOST_TEST(UnicaseCompare("ÄRGER", "ärger") == 0);
  BOOST_TEST(UnicaseCompare("ДОМ", "дом") == 0);
  BOOST_TEST(UnicaseCompare("Straße", "STRASSE") == 0);
  BOOST_TEST(UnicaseCompare("ẞ", "ss") == 0);
  BOOST_TEST(UnicaseCompare("\u212A", "k") == 0);
  BOOST_TEST(UnicaseCompare("ς", "Σ") == 0);
}

BOOST_AUTO_TEST_CASE(other_differences_count) {
  BOOST_TEST(UnicaseCompare("a", "b") < 0);
  BOOST_TEST(UnicaseCompare("b", "A") > 0);
  BOOST_TEST(UnicaseCompare("a", "aa") < 0);
  BOOST_TEST(UnicaseCompare("", "a") < 0);
  BOOST_TEST(UnicaseCompare("", "") == 0);
  BOOST_TEST(UnicaseCompare("_", "a") < 0);  // lower case is compared, so _ is before Z too
  BOOST_TEST(UnicaseCompare("_", "Z") < 0);
  BOOST_TEST(UnicaseCompare("z", "é") < 0);
  BOOST_TEST(UnicaseCompare("e\u0301", "é") != 0);  // no normalisation
  BOOST_TEST(UnicaseCompare({"a\0b", 3}, {"a\0c", 3}) < 0);
}

BOOST_AUTO_TEST_CASE(foldings_of_three_letters_start_with_the_third) {
  // A bug of the collation in clients' indexes: the ligature of "ffi" sorts as "iff".
  BOOST_TEST(UnicaseCompare("\uFB03", "iff") == 0);
  BOOST_TEST(UnicaseCompare("\uFB03", "ffi") != 0);
  BOOST_TEST(UnicaseCompare("\uFB01", "fi") == 0);
}

BOOST_AUTO_TEST_CASE(letters_of_later_unicode_versions_are_not_folded) {
  BOOST_TEST(UnicaseCompare("\u2C2F", "\u2C5F") != 0);
  BOOST_TEST(UnicaseCompare("\uA7C0", "\uA7C1") != 0);
  BOOST_TEST(UnicaseCompare("\U00010570", "\U00010597") != 0);
}

BOOST_AUTO_TEST_CASE(the_tables_are_those_of_unicode_12) {
  // Counts and sums over all code points, from the crate that clients use. utf8proc's tables grow with its
  // releases; this fails when a release adds a folding that ours must exclude.
  int folded = 0;
  std::uint64_t sum = 0;
  for (std::uint32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const auto own = Utf8(c), key = UnicaseKey(own);
    if (own == key) continue;
    ++folded;
    for (const char byte : key) sum = sum * 31 + static_cast<unsigned char>(byte);
    sum += c;
  }
  BOOST_TEST(folded == 1487);
  BOOST_TEST(sum == 11546098979865606496u);
}

BOOST_AUTO_TEST_CASE(invalid_utf8_compares_without_harm) {
  BOOST_TEST(UnicaseCompare("\xFF", "\xFE") == 0);
  BOOST_TEST(UnicaseCompare("\xC3", "a") > 0);
  BOOST_TEST(UnicaseCompare("a\xE2\x82", "a") > 0);
  BOOST_TEST(UnicaseKey("\xFF") == "\uFFFD");
}

BOOST_AUTO_TEST_CASE(keys_are_equal_when_names_are) {
  BOOST_TEST(UnicaseKey("Straße") == UnicaseKey("STRASSE"));
  BOOST_TEST(UnicaseKey("a") != UnicaseKey("b"));
  BOOST_TEST(UnicaseKey("\uFB03") == "iff");
}
