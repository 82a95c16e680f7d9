#include "handlers/base/request.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "handlers/base/errors.h"
#include "handlers/base/utf8.h"

namespace syncline {

std::optional<std::string_view> Request::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

std::string_view Request::PathParam(std::string_view name) const {
  for (const auto& [key, value] : path_params) {
    if (key == name) return value;
  }
  throw Error(ErrorKind::kInternal, "internal", "the pattern has no {" + std::string(name) + "}");
}

std::string PercentDecoded(std::string_view text, bool plus_is_space) {
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
      if (high < 0 || low < 0) throw BadInput("bad_percent_encoding");
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string NetworkOf(std::string_view address) {
  const std::string text(address);
  in6_addr v6;
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return text;
  char out[INET6_ADDRSTRLEN] = {};
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    inet_ntop(AF_INET, v6.s6_addr + 12, out, sizeof out);
  } else {
    std::memset(v6.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &v6, out, sizeof out);
  }
  return out;
}

std::vector<std::string> RawSegments(std::string_view raw_path) {
  std::vector<std::string> segments;
  while (raw_path.starts_with('/')) {
    raw_path.remove_prefix(1);
    segments.emplace_back(raw_path.substr(0, raw_path.find('/')));
    raw_path.remove_prefix(segments.back().size());
  }
  return segments;
}

std::vector<std::string> PathSegments(std::string_view raw_path) {
  if (!raw_path.starts_with('/')) throw BadInput("bad_path", "does not start with a slash");
  if (raw_path.find('#') != std::string_view::npos) throw BadInput("bad_path", "has a fragment");
  std::vector<std::string> segments = RawSegments(raw_path);
  // Decoded after the split: an encoded slash is part of a name, which no service of ours has.
  for (std::string& segment : segments) {
    segment = PercentDecoded(segment, /*plus_is_space=*/false);
    if (segment == "." || segment == "..") throw BadInput("bad_path", "dot segment");
    if (segment.find('/') != std::string::npos) throw BadInput("bad_path", "encoded slash");
    if (!IsStorableText(segment)) throw BadInput("bad_path", "NUL, or not UTF-8");
  }
  return segments;
}

std::optional<std::string> Request::Query(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::string_view key = pair.substr(0, pair.find('='));
    if (PercentDecoded(key, /*plus_is_space=*/true) != name) continue;
    std::string value =
        PercentDecoded(pair.substr(std::min(pair.size(), key.size() + 1)), /*plus_is_space=*/true);
    if (!IsStorableText(value)) throw BadInput("bad_query", "NUL, or not UTF-8");
    return value;
  }
  return std::nullopt;
}

std::string Request::ReadBody(std::size_t limit) {
  std::string bytes;
  if (body == nullptr) return bytes;
  if (content_length && *content_length > limit) throw TooLarge("body_too_large");
  // Asks for one byte more than allowed: only its arrival proves that the body is too large. A declared
  // length is only a hint of the client, so little is reserved for it.
  constexpr std::size_t kFirst = 16 << 10;
  std::size_t filled = 0;
  bytes.resize(std::min({limit, content_length.value_or(kFirst), std::size_t{1} << 20}) + 1);
  for (;;) {
    const std::size_t got = body->Read(bytes.data() + filled, bytes.size() - filled);
    if (got == 0) break;
    filled += got;
    if (filled > limit) throw TooLarge("body_too_large");
    if (filled == bytes.size()) bytes.resize(std::min(limit, bytes.size() * 2) + 1);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace syncline
