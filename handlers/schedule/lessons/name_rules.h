#pragma once
// Names of the timetable: their forms for display, comparison and search, and the parts of a group's name.
// Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::schedule {

/// Ids of rows, and numbers of the site.
inline constexpr std::int64_t kMaxId = 2'147'483'647;

/// Characters of a name. Its key must fit into an index.
inline constexpr std::size_t kMaxName = 500;

/// For display: runs of any blanks become one blank, trimmed, without soft hyphens and zero-width characters,
/// in normal form C. At most `max` characters.
std::string ShownText(std::string_view text, std::size_t max = kMaxName);

/// For comparison: names that look the same on the site have one key. Case and the kind of hyphen are
/// ignored; every letter counts, so that different groups stay different.
std::string KeyOf(std::string_view text);

/// For search: the key with io and ie unified and Latin letters replaced by their Cyrillic look-alikes. Both
/// stored texts and queries are folded by it.
std::string SearchFolded(std::string_view text);

/// Parses a group's name: "b-OBLK-31" is course 3, parallel 1. None if it has another form.
struct GroupNumbers {
  std::optional<int> course, parallel;
};
GroupNumbers NumbersOf(std::string_view group_name);

inline constexpr std::string_view kEducationForms[] = {"full_time", "part_time", "evening"};
inline constexpr std::string_view kDegreeTypes[] = {"bachelor", "master", "specialty", "postgraduate"};

/// One of kEducationForms; none for other words.
std::optional<std::string_view> EducationFormOf(std::string_view caption);
/// One of kDegreeTypes; none for other words.
std::optional<std::string_view> DegreeTypeOf(std::string_view caption);

/// Whether a text begins with the word for a subgroup, "Podgr." in Cyrillic.
bool NamesSubgroup(std::string_view text);

/// Whether a room is virtual (an online meeting). `words`: in lower case, separated by commas; "": the
/// defaults.
bool IsOnlineRoom(std::string_view room, std::string_view words);

/// Splits at a character; parts are trimmed, empty ones left out.
std::vector<std::string> SplitWords(std::string_view text, char separator);

}  // namespace syncline::schedule
