#include "handlers/schedule/lessons/name_rules.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "handlers/base/search_text.h"
#include "handlers/base/utf8.h"

namespace syncline::schedule {
namespace {

std::string Mapped(std::string_view text, int options) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                 static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(mapped, std::free);
  if (size < 0) return std::string(text);  // not UTF-8
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

// Blanks of Unicode, controls and what has no width. A combining mark is none of them.
enum class Visibility { kShown, kBlank, kNone };
Visibility VisibilityOf(utf8proc_int32_t character) {
  // Line breaks and tabs are controls, and separate words.
  if (character == '\t' || character == '\n' || character == '\v' || character == '\f' || character == '\r' ||
      character == 0x85)
    return Visibility::kBlank;
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return Visibility::kBlank;
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CS:
      return Visibility::kNone;
    case UTF8PROC_CATEGORY_CF:
      // The joiners of emoji sequences are seen.
      return character == 0x200D ? Visibility::kShown : Visibility::kNone;
    default:
      return Visibility::kShown;
  }
}

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// In lower case: letters that people interchange when typing. Both sides of a comparison are folded alike.
constexpr std::pair<std::string_view, std::string_view> kInterchanged[] = {
    {"ё", "е"}, {"a", "а"}, {"b", "в"}, {"c", "с"}, {"e", "е"}, {"h", "н"}, {"k", "к"},
    {"m", "м"}, {"o", "о"}, {"p", "р"}, {"t", "т"}, {"x", "х"}, {"y", "у"},
};

constexpr std::string_view kOnlineWords = "дистанц,онлайн,online,эиос,http://,https://,zoom,вебинар";

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string ShownText(std::string_view text, std::size_t max) {
  std::string shown;
  bool is_blank_pending = false;
  const std::string valid = Nfc(ReplacedInvalid(text));
  const auto* at = reinterpret_cast<const utf8proc_uint8_t*>(valid.data());
  auto left = static_cast<utf8proc_ssize_t>(valid.size());
  while (left > 0) {
    utf8proc_int32_t character = 0;
    const auto size = utf8proc_iterate(at, left, &character);
    if (size <= 0) break;
    const Visibility visibility = VisibilityOf(character);
    if (visibility == Visibility::kBlank) {
      is_blank_pending = !shown.empty();
    } else if (visibility == Visibility::kShown) {
      if (std::exchange(is_blank_pending, false)) shown += ' ';
      shown.append(reinterpret_cast<const char*>(at), static_cast<std::size_t>(size));
    }
    at += size;
    left -= size;
  }
  return CutToCharacters(shown, max);
}

std::string KeyOf(std::string_view text) {
  return Mapped(ShownText(text),
                UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_LUMP);
}

std::string SearchFolded(std::string_view text) {
  std::string folded = FoldedForSearch(KeyOf(text));
  for (const auto& [from, to] : kInterchanged) ReplaceAll(folded, from, to);
  return folded;
}

GroupNumbers NumbersOf(std::string_view group_name) {
  std::string key = KeyOf(group_name);
  key = key.substr(0, key.find(' '));  // "b-OBLK-11 (in.)"
  const auto dash = key.rfind('-');
  if (dash == std::string::npos || key.find('-') == dash) return {};
  const std::string digits = key.substr(dash + 1);
  const bool is_number =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number || digits.size() < 2 || digits.size() > 3 || digits[0] == '0') return {};
  return {digits[0] - '0', std::atoi(digits.c_str() + 1)};
}

std::optional<std::string_view> EducationFormOf(std::string_view caption) {
  const std::string key = KeyOf(caption);
  if (Contains(key, "очно-заочн")) return "evening";
  if (Contains(key, "заочн")) return "part_time";
  if (Contains(key, "очн")) return "full_time";
  return std::nullopt;
}

std::optional<std::string_view> DegreeTypeOf(std::string_view caption) {
  const std::string key = KeyOf(caption);
  if (Contains(key, "бакалавр")) return "bachelor";
  if (Contains(key, "магистр")) return "master";
  if (Contains(key, "специал")) return "specialty";
  if (Contains(key, "аспирант")) return "postgraduate";
  return std::nullopt;
}

bool NamesSubgroup(std::string_view text) {
  return KeyOf(text).starts_with("подгр");
}

bool IsOnlineRoom(std::string_view room, std::string_view words) {
  const std::string folded = SearchFolded(room);
  for (const std::string& word : SplitWords(words.empty() ? kOnlineWords : words, ',')) {
    if (Contains(folded, SearchFolded(word))) return true;
  }
  return false;
}

std::vector<std::string> SplitWords(std::string_view text, char separator) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (std::string word = ShownText(text.substr(0, end)); !word.empty()) words.push_back(std::move(word));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace syncline::schedule
