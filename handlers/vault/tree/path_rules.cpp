#include "handlers/vault/tree/path_rules.h"

#include <algorithm>

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"

namespace syncline::vault {
namespace {

bool IsName(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name == "." || name == "..") return false;
  if (!IsUtf8(name) || !IsXmlText(name)) return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\';
  });
}

}  // namespace

bool IsXmlText(std::string_view utf8) {
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
  }
  // U+FFFE and U+FFFF; there are no surrogates in UTF-8.
  return utf8.find("\xef\xbf\xbe") == std::string_view::npos &&
         utf8.find("\xef\xbf\xbf") == std::string_view::npos;
}

Path PathOf(const std::vector<std::string>& segments) {
  Path path;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].empty() && i + 1 == segments.size()) break;
    if (!IsName(segments[i])) throw BadInput("bad_name");
    bytes += segments[i].size() + 1;
    path.push_back({segments[i], Nfc(segments[i])});
    if (path.back().key.size() > kMaxNameBytes) throw BadInput("bad_name");
  }
  if (bytes > kMaxPathBytes) throw BadInput("path_too_long");
  return path;
}

Path PathOf(std::string_view text) {
  std::vector<std::string> segments;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('/'), text.size());
    segments.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return PathOf(segments);
}

std::string TextOf(const Path& path) {
  std::string text;
  for (const PathName& name : path) text += (text.empty() ? "" : "/") + name.name;
  return text;
}

std::vector<std::string> KeysOf(const Path& path) {
  std::vector<std::string> keys;
  for (const PathName& name : path) keys.push_back(name.key);
  return keys;
}

bool IsReserved(const Path& path) {
  return !path.empty() && path.front().key == kReservedName;
}

bool IsDocument(const Path& path) {
  return !path.empty() && (path.back().key == "cordiax.db" || path.back().key == "cordiax_sync.zip");
}

}  // namespace syncline::vault
