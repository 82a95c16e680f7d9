#include "handlers/decks/dialect/tag_rules.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

namespace syncline::decks {
namespace {

constexpr std::string_view kIdeographicBlank = "\u3000";

}  // namespace

std::string Folded(std::string_view text) {
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
      &out, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  if (size < 0) return std::string(text);
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(out, std::free);
  return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)};
}

std::string JoinedTags(const std::vector<std::string>& tags) {
  std::set<std::string> seen;
  std::string joined;
  for (const std::string& tag : tags) {
    if (tag.empty() || !seen.insert(Folded(tag)).second) continue;
    if (!joined.empty()) joined += ' ';
    joined += tag;
  }
  return joined;
}

std::vector<std::string> SplitTags(std::string_view joined) {
  std::vector<std::string> tags;
  while (!joined.empty()) {
    const std::size_t end = std::min(joined.find(' '), joined.size());
    if (end > 0) tags.emplace_back(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return tags;
}

bool IsTag(std::string_view tag) {
  return tag.find(kIdeographicBlank) == tag.npos &&
         std::none_of(tag.begin(), tag.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

std::set<std::string> FoldedSet(std::string_view joined) {
  std::set<std::string> set;
  for (const std::string& tag : SplitTags(joined)) set.insert(Folded(tag));
  return set;
}

TagDifference CompareTags(std::string_view before, std::string_view after) {
  const auto had = FoldedSet(before), has = FoldedSet(after);
  const auto missing_in = [](const std::set<std::string>& all, const std::set<std::string>& other) {
    return std::count_if(all.begin(), all.end(),
                         [&](const std::string& tag) { return !other.contains(tag); });
  };
  return {missing_in(has, had), missing_in(had, has)};
}

std::string MergedTags(std::string_view base, std::string_view edited, std::string_view now) {
  const auto had = FoldedSet(base), has = FoldedSet(edited);
  std::vector<std::string> merged;
  for (std::string& tag : SplitTags(now)) {
    const std::string key = Folded(tag);
    if (!had.contains(key) || has.contains(key)) merged.push_back(std::move(tag));
  }
  for (std::string& tag : SplitTags(edited)) {
    if (!had.contains(Folded(tag))) merged.push_back(std::move(tag));
  }
  return JoinedTags(merged);
}

}  // namespace syncline::decks
