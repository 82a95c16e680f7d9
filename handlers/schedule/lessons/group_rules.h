#pragma once
// Matches the entries of an index to known groups. Pure.
//
// The site renumbers groups from time to time; names stay. So a group is matched by its name first, and its
// number is rebound. A group missing from a complete index is gone. A group is renamed if only its number has
// a new name while all others are unchanged. A client names one group of a list that we do not see, so
// nothing follows from groups that it does not name.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace syncline::schedule {

enum class Listing { kIndex, kOneGroup };

struct KnownInstitute {
  std::int64_t id = 0;
  std::optional<std::int64_t> upstream_id{};
  std::string key;
};
struct InstituteEntry {
  std::optional<std::int64_t> upstream_id{};
  std::string key;
};
/// For each entry the position in `known`, or none: it is new. Two entries without a number and with one name are the same.
std::vector<std::optional<std::size_t>> MatchInstitutes(std::span<const KnownInstitute> known,
                                                        std::span<const InstituteEntry> entries,
                                                        Listing listing);

struct KnownGroup {
  std::int64_t id = 0;
  std::int64_t institute = 0;  ///< 0: none
  std::optional<std::int64_t> upstream_id{};
  std::string key;
  bool is_active = true;
};
/// One group of an index or of a client, of which there are no two with one number, nor two with one name in one institute.
struct GroupEntry {
  std::vector<std::int64_t> institutes;  ///< that list it, at least one; 0: none, or a new one
  std::optional<std::int64_t> upstream_id{};
  std::string key;
  std::optional<std::int64_t> like_named{};  ///< of a new institute: the only known one of that name
};
struct GroupMatch {
  std::optional<std::size_t> known{};  ///< none: it is new
  std::int64_t institute = 0;          ///< the one it belongs to
};
std::vector<GroupMatch> MatchGroups(std::span<const KnownGroup> known, std::span<const GroupEntry> entries,
                                    Listing listing);

/// Whether an index belongs to another site, or is unreadable: most of its known numbers, and at least ten,
/// have unknown names.
bool IsForeign(std::span<const KnownGroup> known, std::span<const GroupEntry> entries);

}  // namespace syncline::schedule
