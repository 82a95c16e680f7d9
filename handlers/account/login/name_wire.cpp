#include "handlers/account/login/name_wire.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace syncline::account {
namespace {

// Longer input is refused unread: four bytes per code point, times four for decomposed characters.
constexpr std::size_t kMaxNameBytes = 4 * 4 * kMaxNameCharacters;

std::optional<std::string> Mapped(std::string_view text, int options) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                               static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(mapped, std::free);
  if (length < 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length));
}

// Returns the code point at `at` and advances `at`; -1 at the end or on invalid UTF-8.
std::int32_t Next(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return -1;
  utf8proc_int32_t code_point = -1;
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                       static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
  if (length <= 0) return -1;
  at += static_cast<std::size_t>(length);
  return code_point;
}

bool IsControl(std::int32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

bool IsSpace(std::int32_t code_point) {
  return utf8proc_category(code_point) == UTF8PROC_CATEGORY_ZS;
}

// Formatting characters (zero-width ones, direction controls, soft hyphens) and separators of lines and paragraphs.
bool IsHidden(std::int32_t code_point) {
  const utf8proc_category_t category = utf8proc_category(code_point);
  return category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

}  // namespace

std::optional<std::string> NormalName(std::string_view typed) {
  if (typed.empty() || typed.size() > kMaxNameBytes) return std::nullopt;
  std::optional<std::string> name = Mapped(typed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  if (!name) return std::nullopt;
  int characters = 0;
  std::int32_t last = -1;
  for (std::size_t at = 0; at < name->size(); ++characters) {
    const std::int32_t code_point = Next(*name, at);
    if (code_point < 0 || IsControl(code_point) || code_point == ':') return std::nullopt;
    if (characters == 0 && IsSpace(code_point)) return std::nullopt;
    last = code_point;
  }
  if (characters == 0 || characters > kMaxNameCharacters || IsSpace(last)) return std::nullopt;
  return name;
}

std::optional<std::string> NewName(std::string_view typed) {
  std::optional<std::string> name = NormalName(typed);
  if (!name) return std::nullopt;
  for (std::size_t at = 0; at < name->size();) {
    if (IsHidden(Next(*name, at))) return std::nullopt;
  }
  return name;
}

std::string FoldedName(std::string_view typed) {
  if (typed.size() > kMaxNameBytes) typed = typed.substr(0, kMaxNameBytes);
  return Mapped(typed, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD).value_or(std::string(typed));
}

std::string NormalPassword(std::string_view typed) {
  std::string text;
  text.reserve(typed.size());
  for (std::size_t at = 0; at < typed.size();) {
    const std::size_t begin = at;
    const std::int32_t code_point = Next(typed, at);
    if (code_point < 0) return std::string(typed);
    text += IsSpace(code_point) ? std::string_view(" ") : typed.substr(begin, at - begin);
  }
  return Mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE).value_or(std::string(typed));
}

std::string ShortText(std::string_view text, int limit) {
  std::string out;
  for (std::size_t at = 0; at < text.size() && limit > 0;) {
    const std::size_t begin = at;
    const std::int32_t code_point = Next(text, at);
    if (code_point < 0) return {};
    if (IsControl(code_point) || IsHidden(code_point)) continue;
    out.append(text.substr(begin, at - begin));
    --limit;
  }
  return out;
}

}  // namespace syncline::account
