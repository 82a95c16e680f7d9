#include "handlers/decks/files/note_rules.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "handlers/base/header_values.h"

namespace syncline::decks {
namespace {

// Anki numbers no more deletions.
constexpr std::int32_t kMaxDeletions = 500;

// White space and line breaks alone count as nothing.
bool IsEmptyText(std::string_view text) {
  while (!text.empty()) {
    if (std::string_view(" \t\r\n\v\f").find(text.front()) != std::string_view::npos) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('>');
    if (text.front() != '<' || end == text.npos) return false;
    std::string_view tag = text.substr(1, end - 1);
    if (tag.starts_with('/')) tag.remove_prefix(1);
    if (tag.ends_with('/')) tag.remove_suffix(1);
    const std::string name = LoweredAscii(TrimmedBlanks(tag));
    if (name != "br" && name != "div") return false;
    text.remove_prefix(end + 1);
  }
  return true;
}

// Whether a front shows one of the fields. What stands in a negated section counts whatever its field holds, as in Anki.
bool Shows(std::string_view front, const std::set<std::string_view>& filled) {
  std::vector<bool> is_open{true};
  for (std::size_t at = front.find("{{"); at != front.npos; at = front.find("{{", at)) {
    const std::size_t end = front.find("}}", at);
    if (end == front.npos) return false;
    std::string_view name = TrimmedBlanks(front.substr(at + 2, end - at - 2));
    at = end;
    const char mark = name.empty() ? '\0' : name.front();
    if (mark == '#' || mark == '^') {
      name = TrimmedBlanks(name.substr(1));
      is_open.push_back(is_open.back() && (mark == '^' || filled.contains(name)));
    } else if (mark == '/') {
      if (is_open.size() > 1) is_open.pop_back();
    } else {
      if (const std::size_t colon = name.rfind(':'); colon != name.npos)
        name = TrimmedBlanks(name.substr(colon + 1));
      if (is_open.back() && filled.contains(name)) return true;
    }
  }
  return false;
}

void AddDeletions(std::string_view text, std::set<std::int32_t>& numbers) {
  for (std::size_t at = text.find("{{c"); at != text.npos; at = text.find("{{c", at + 1)) {
    std::int32_t number = 0;
    std::size_t digit = at + 3;
    for (; digit < text.size() && text[digit] >= '0' && text[digit] <= '9' && number <= kMaxDeletions;
         ++digit)
      number = number * 10 + (text[digit] - '0');
    if (number >= 1 && number <= kMaxDeletions && text.substr(digit).starts_with("::"))
      numbers.insert(number - 1);
  }
}

}  // namespace

std::string JoinedFields(const std::vector<NoteField>& fields) {
  std::string joined;
  for (const NoteField& field : fields) {
    if (&field != &fields.front()) joined += '\x1f';
    joined += field.text;
  }
  return joined;
}

std::string TagsOfNote(const std::string& joined) {
  return joined.empty() ? "" : " " + joined + " ";
}

std::vector<std::int32_t> CardsOf(const CardDesign& design, const std::vector<NoteField>& fields) {
  std::set<std::int32_t> cards;
  if (design.is_cloze) {
    for (const NoteField& field : fields) AddDeletions(field.text, cards);
  } else {
    std::set<std::string_view> filled;
    for (const NoteField& field : fields) {
      if (!IsEmptyText(field.text)) filled.insert(field.name);
    }
    for (std::size_t i = 0; i < design.templates.size(); ++i) {
      if (Shows(design.templates[i].front, filled)) cards.insert(static_cast<std::int32_t>(i));
    }
  }
  if (cards.empty()) cards.insert(0);
  return {cards.begin(), cards.end()};
}

}  // namespace syncline::decks
