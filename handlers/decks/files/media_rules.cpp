#include "handlers/decks/files/media_rules.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "handlers/base/header_values.h"
#include "handlers/base/utf8.h"

namespace syncline::decks {
namespace {

constexpr std::string_view kForbidden = "[]<>:\"/?*^\\|";
constexpr std::string_view kNoBreakBlank = "\u00a0";
constexpr std::string_view kDevices[] = {"con",  "prn",  "aux",  "nul",  "com1", "com2", "com3", "com4",
                                         "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2", "lpt3",
                                         "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9"};
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"png", "image/png"},      {"jpg", "image/jpeg"},  {"jpeg", "image/jpeg"},     {"gif", "image/gif"},
    {"webp", "image/webp"},    {"avif", "image/avif"}, {"svg", "image/svg+xml"},   {"bmp", "image/bmp"},
    {"tif", "image/tiff"},     {"tiff", "image/tiff"}, {"ico", "image/x-icon"},    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},      {"oga", "audio/ogg"},   {"opus", "audio/ogg"},      {"wav", "audio/wav"},
    {"m4a", "audio/mp4"},      {"flac", "audio/flac"}, {"aac", "audio/aac"},       {"mp4", "video/mp4"},
    {"webm", "video/webm"},    {"ogv", "video/ogg"},   {"mov", "video/quicktime"}, {"css", "text/css"},
    {"js", "text/javascript"}, {"woff", "font/woff"},  {"woff2", "font/woff2"},    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
};

bool IsForbidden(unsigned char c) {
  return c < 0x20 || c == 0x7f || kForbidden.find(static_cast<char>(c)) != kForbidden.npos;
}

bool IsDevice(std::string_view name) {
  const std::string stem = LoweredAscii(name.substr(0, name.find('.')));
  return std::find(std::begin(kDevices), std::end(kDevices), stem) != std::end(kDevices);
}

}  // namespace

bool IsMediaName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxMediaNameBytes && IsUtf8(name) && Nfc(name) == name &&
         std::none_of(name.begin(), name.end(), IsForbidden) && name.find(kNoBreakBlank) == name.npos &&
         name.front() != '.' && name.back() != '.' && name.back() != ' ' && !IsDevice(name);
}

std::optional<std::string> ProposedName(std::string_view name) {
  std::string proposed = Nfc(ReplacedInvalid(name));
  for (std::size_t at = proposed.find(kNoBreakBlank); at != proposed.npos; at = proposed.find(kNoBreakBlank))
    proposed.replace(at, kNoBreakBlank.size(), " ");
  std::erase_if(proposed, IsForbidden);
  while (!proposed.empty() && proposed.front() == '.') proposed.erase(0, 1);
  while (!proposed.empty() && (proposed.back() == '.' || proposed.back() == ' ')) proposed.pop_back();
  if (IsDevice(proposed)) proposed.insert(0, "_");
  return IsMediaName(proposed) ? std::optional(proposed) : std::nullopt;
}

std::string_view MediaType(std::string_view name) {
  const std::string end = LoweredAscii(name.substr(std::min(name.rfind('.'), name.size() - 1) + 1));
  const auto found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& type) { return type.first == end; });
  return found == std::end(kTypes) ? "application/octet-stream" : found->second;
}

std::optional<std::string> ParseSha256(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  if (text.size() != kDigits) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < kDigits; i += 2) {
    int value = 0;
    for (const char c : text.substr(i, 2)) {
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
      value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    bytes += static_cast<char>(value);
  }
  return bytes;
}

}  // namespace syncline::decks
