#include "handlers/anki/objects/unicase_wire.h"

#include <sqlite3.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>

namespace syncline::anki {
namespace {

unsigned char AsciiLower(unsigned char c) {
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

// Foldings that Unicode added after 12.1, the version of the pinned tables. utf8proc may have them; to the
// collation these letters have no case.
bool FoldedOnlySinceUnicode13(std::int32_t c) {
  static constexpr std::array<std::int32_t, 16> kSingles = {0x1C89, 0x2C2F, 0xA7C0, 0xA7C7, 0xA7C9, 0xA7CB,
                                                            0xA7CC, 0xA7CE, 0xA7D0, 0xA7D2, 0xA7D4, 0xA7D6,
                                                            0xA7D8, 0xA7DA, 0xA7DC, 0xA7F5};
  if (std::binary_search(kSingles.begin(), kSingles.end(), c)) return true;
  return (c >= 0x10570 && c <= 0x10595) || (c >= 0x10D50 && c <= 0x10D65) || (c >= 0x16EA0 && c <= 0x16EB8);
}

// Iterates over the folded code points of a text.
class FoldedText {
 public:
  explicit FoldedText(std::string_view text) : text_(text) {}

  /// The next code point, or -1 at the end.
  std::int32_t Next() {
    if (at_ < count_) return folded_[at_++];
    if (text_.empty()) return -1;
    std::int32_t c = 0;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text_.data()),
                                         static_cast<utf8proc_ssize_t>(text_.size()), &c);
    if (length <= 0) {
      text_.remove_prefix(1);
      return 0xFFFD;
    }
    text_.remove_prefix(static_cast<std::size_t>(length));
    if (c < 0x80) return AsciiLower(static_cast<unsigned char>(c));
    if (FoldedOnlySinceUnicode13(c)) return c;
    int boundary = 0;
    count_ = static_cast<int>(utf8proc_decompose_char(c, folded_.data(), static_cast<int>(folded_.size()),
                                                      UTF8PROC_CASEFOLD, &boundary));
    if (count_ <= 0) return c;
    // The pinned crate returns foldings of three code points with the third one first (a bug that was never
    // fixed). This affects the order of names such as "\ufb03" (ffi ligature), so we do the same.
    if (count_ == 3) std::rotate(folded_.begin(), folded_.begin() + 2, folded_.begin() + 3);
    at_ = 1;
    return folded_[0];
  }

 private:
  std::string_view text_;
  std::array<utf8proc_int32_t, 8> folded_{};
  int at_ = 0, count_ = 0;
};

int CompareForSqlite(void*, int a_size, const void* a, int b_size, const void* b) {
  return UnicaseCompare({static_cast<const char*>(a), static_cast<std::size_t>(a_size)},
                        {static_cast<const char*>(b), static_cast<std::size_t>(b_size)});
}

}  // namespace

int UnicaseCompare(std::string_view a, std::string_view b) noexcept {
  // Folding works letter by letter, so a common ASCII prefix (often the whole name) needs no decoding.
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t i = 0;
  for (; i < shorter; ++i) {
    const auto x = static_cast<unsigned char>(a[i]), y = static_cast<unsigned char>(b[i]);
    if ((x | y) >= 0x80) break;
    const int difference = AsciiLower(x) - AsciiLower(y);
    if (difference != 0) return difference;
  }
  FoldedText left(a.substr(i)), right(b.substr(i));
  for (;;) {
    const auto x = left.Next(), y = right.Next();
    if (x != y) return x < y ? -1 : 1;
    if (x < 0) return 0;
  }
}

std::string UnicaseKey(std::string_view name) {
  std::string key;
  key.reserve(name.size());
  FoldedText folded(name);
  for (auto c = folded.Next(); c >= 0; c = folded.Next()) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(c, bytes.data());
    key.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  }
  return key;
}

void RegisterUnicase(sqlite3* db) {
  if (sqlite3_create_collation_v2(db, "unicase", SQLITE_UTF8, nullptr, CompareForSqlite, nullptr) !=
      SQLITE_OK)
    throw std::bad_alloc();
}

}  // namespace syncline::anki
