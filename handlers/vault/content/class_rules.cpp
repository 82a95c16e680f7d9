#include "handlers/vault/content/class_rules.h"

#include <algorithm>
#include <array>

namespace syncline::vault {
namespace {

using namespace std::string_view_literals;

constexpr std::array<const char*, 6> kNames = {"empty",          "sqlite-plain", "sqlite-sidecar",
                                               "cordiax-fernet", "zip",          "other"};
// SQLite's file format, sections 1.3, 3 and 4.
constexpr auto kSqlite = "SQLite format 3\0"sv;
constexpr auto kJournal = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"sv;
constexpr std::string_view kWals[] = {"\x37\x7f\x06\x82"sv, "\x37\x7f\x06\x83"sv};
// PKWARE's APPNOTE: an entry, and the end of an archive without any.
constexpr std::string_view kZips[] = {"PK\x03\x04"sv, "PK\x05\x06"sv};
constexpr std::string_view kArchives[] = {"\x1f\x8b"sv,
                                          "7z\xbc\xaf\x27\x1c"sv,
                                          "\xfd"
                                          "7zXZ\0"sv,
                                          "\x28\xb5\x2f\xfd"sv,
                                          "Rar!\x1a\x07"sv,
                                          "BZh"sv};

template <std::size_t kCount>
bool BeginsWithAny(std::string_view bytes, const std::string_view (&beginnings)[kCount]) {
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view beginning) { return bytes.starts_with(beginning); });
}

}  // namespace

const char* NameOf(ContentClass content_class) {
  return kNames[static_cast<std::size_t>(content_class)];
}

ContentClass ClassOf(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  return found == kNames.end() ? ContentClass::kOther : static_cast<ContentClass>(found - kNames.begin());
}

ContentClass ClassOfBeginning(std::string_view beginning) {
  if (beginning.starts_with(kSqlite)) return ContentClass::kSqlitePlain;
  if (beginning.starts_with(kJournal) || BeginsWithAny(beginning, kWals)) return ContentClass::kSqliteSidecar;
  return BeginsWithAny(beginning, kZips) ? ContentClass::kZip : ContentClass::kOther;
}

bool IsOtherArchive(std::string_view beginning) {
  return BeginsWithAny(beginning, kArchives);
}

bool ContentReport::MayHavePlaintext() const {
  if (content_class == ContentClass::kSqlitePlain || content_class == ContentClass::kSqliteSidecar)
    return true;
  return content_class == ContentClass::kZip && (zip.state != ZipState::kComplete || zip.has_plaintext);
}

}  // namespace syncline::vault
