#pragma once
// Tags of a card, as Anki keeps them: texts without blanks, "::" between levels. Pure.
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::decks {

inline constexpr std::size_t kMaxTags = 100, kMaxTagCharacters = 100;

/// Equal for texts that differ only in case.
std::string Folded(std::string_view text);

/// One text, separated by blanks: the first of those that differ only in case, without empty ones. The tags must be tags
/// (IsTag).
std::string JoinedTags(const std::vector<std::string>& tags);
std::vector<std::string> SplitTags(std::string_view joined);
/// Equal for lists that differ only in order and case.
std::set<std::string> FoldedSet(std::string_view joined);
/// Neither blanks nor control characters.
bool IsTag(std::string_view tag);

struct TagDifference {
  std::int64_t added = 0, removed = 0;
};
/// Both joined. Without regard to case.
TagDifference CompareTags(std::string_view before, std::string_view after);
/// Those of `now`, with what `edited` has added to `base`, and without what it has removed from it. All joined.
std::string MergedTags(std::string_view base, std::string_view edited, std::string_view now);

}  // namespace syncline::decks
