#include "handlers/anime/xml_repair_wire.h"

#include <utf8proc.h>

#include <algorithm>
#include <charconv>

#include "handlers/base/errors.h"

namespace syncline::anime {
namespace {

// Longer than every token that is matched as a whole: "<![CDATA[", "&#x10FFFF;".
constexpr std::size_t kLookahead = 16;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kCdata = "<![CDATA[";

// The length of the first character; 0 if it is invalid.
std::size_t Character(std::string_view bytes, char32_t& character) noexcept {
  utf8proc_int32_t code_point = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                       static_cast<utf8proc_ssize_t>(bytes.size()), &code_point);
  if (length <= 0) return 0;
  character = static_cast<char32_t>(code_point);
  return static_cast<std::size_t>(length);
}

bool IsNumericReference(std::string_view digits) {
  const bool is_hex = digits.starts_with('x');
  if (is_hex) digits.remove_prefix(1);
  std::uint32_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number, is_hex ? 16 : 10);
  return read.ec == std::errc() && read.ptr == end && IsXmlCharacter(number);
}

// Whether an `&` begins a reference that needs no declaration.
bool BeginsReference(std::string_view rest) {
  const std::size_t end = rest.substr(0, kLookahead).find(';');
  if (end == std::string_view::npos) return false;
  const std::string_view name = rest.substr(1, end - 1);
  if (name.starts_with('#')) return IsNumericReference(name.substr(1));
  return name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
}

bool BeginsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' || (c & 0x80) != 0;
}

}  // namespace

bool IsXmlCharacter(char32_t character) noexcept {
  if (character < 0x20) return character == '\t' || character == '\n' || character == '\r';
  return character <= 0xD7FF || (character >= 0xE000 && character <= 0xFFFD) ||
         (character >= 0x10000 && character <= 0x10FFFF);
}

std::string XmlRepair::Take(std::string_view bytes) {
  pending_ += bytes;
  return Run(kLookahead);
}

std::string XmlRepair::Finish() {
  return Run(0);
}

std::string XmlRepair::Run(std::size_t lookahead) {
  std::string out;
  out.reserve(pending_.size());
  std::size_t at = 0;
  while (at < pending_.size() && pending_.size() - at >= lookahead) {
    const Place before = place_;
    const std::size_t bytes = Step(std::string_view(pending_).substr(at), out);
    Count(before, bytes);
    at += bytes;
  }
  pending_.erase(0, at);
  return out;
}

void XmlRepair::Count(Place before, std::size_t bytes) {
  if (place_ != before) bytes_in_place_ = 0;
  bytes_in_place_ += bytes;
  const std::size_t most = place_ == Place::kText      ? bytes_in_place_
                           : place_ == Place::kCdata   ? kMaxCdataBytes
                           : place_ == Place::kComment ? kMaxCommentBytes
                                                       : kMaxTagBytes;
  if (bytes_in_place_ > most) throw Error(ErrorKind::kUnprocessable, "list_markup_too_long");
}

// Handles the token at the beginning of `rest`; returns its length.
std::size_t XmlRepair::Step(std::string_view rest, std::string& out) {
  const char c = rest.front();
  if (c == '<' || c == '>' || c == '&' || c == ']' || c == '-' || c == '?') return Markup(rest, out);
  if (place_ == Place::kTag && (c == '"' || c == '\'')) {
    if (quote_ == 0) {
      quote_ = c;
    } else if (quote_ == c) {
      quote_ = 0;
    }
  }
  char32_t character = 0;
  const std::size_t length = Character(rest, character);
  if (length == 0) {
    out += kReplacement;
    return 1;
  }
  if (IsXmlCharacter(character)) out += rest.substr(0, length);
  return length;
}

std::size_t XmlRepair::Markup(std::string_view rest, std::string& out) {
  const auto copy = [&](std::string_view text) {
    out += text;
    return text.size();
  };
  // The end of a place that has one of its own, and nothing else in it.
  const auto in = [&](Place place, std::string_view end) { return place_ == place && rest.starts_with(end); };
  if (in(Place::kCdata, "]]>") || in(Place::kComment, "-->") || in(Place::kInstruction, "?>") ||
      (quote_ == 0 && in(Place::kTag, ">"))) {
    const std::size_t length = rest.find('>') + 1;
    place_ = Place::kText;
    return copy(rest.substr(0, length));
  }
  if (place_ != Place::kText && place_ != Place::kTag) return copy(rest.substr(0, 1));
  if (rest.front() == '&') {
    if (BeginsReference(rest)) return copy(rest.substr(0, 1));
    out += "&amp;";
    return 1;
  }
  if (place_ == Place::kTag) return copy(rest.substr(0, 1));
  if (rest.starts_with("]]>")) {
    out += "]]&gt;";
    return 3;
  }
  if (rest.front() != '<') return copy(rest.substr(0, 1));
  const char next = rest.size() > 1 ? rest[1] : '\0';
  if (rest.starts_with(kCdata)) {
    place_ = Place::kCdata;
    return copy(kCdata);
  }
  if (rest.starts_with("<!--")) {
    place_ = Place::kComment;
    return copy("<!--");
  }
  if (next == '?' || next == '/' || next == '!' || BeginsName(next)) {
    place_ = next == '?' ? Place::kInstruction : Place::kTag;
    quote_ = 0;
    return copy(rest.substr(0, 1));
  }
  out += "&lt;";
  return 1;
}

}  // namespace syncline::anime
