#pragma once
// Names of the timetable: as they are shown, as they are compared, as they are searched, and what the name of a group
// says. Pure.
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

/// As shown: blanks of all kinds are one blank, nothing at the ends, without soft hyphens and characters of no width, in
/// normal form C. At most `max` characters.
std::string ShownText(std::string_view text, std::size_t max = kMaxName);

/// As compared: what looks the same on the site has one key. Case and the kind of hyphen do not matter; every letter
/// does, so that two groups stay two.
std::string KeyOf(std::string_view text);

/// As searched: of the key, also without the difference of io and ie, and with Latin letters that look like Cyrillic ones
/// taken for those. Search texts and what people type are both folded by it.
std::string SearchFolded(std::string_view text);

/// What the name "b-OBLK-31" of a group says: course 3, parallel 1. None where it has another form.
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

/// Whether a room is no place but a way to meet online. `words`: in lower case, separated by commas; "": the usual ones.
bool IsOnlineRoom(std::string_view room, std::string_view words);

/// Splits at a character; parts are trimmed, empty ones left out.
std::vector<std::string> SplitWords(std::string_view text, char separator);

}  // namespace syncline::schedule
