#pragma once
// Institutes and groups, as an index of the site or a client names them (group_rules.h).
//
// Locks: an advisory lock serialises adding and changing groups, then groups by ascending id; an index locks
// all. A client's group that is unchanged takes only the group's own lock.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/schedule/lessons/group_rules.h"
#include "handlers/schedule/lessons/lesson_rules.h"
#include "sql/tx.h"

namespace syncline::schedule {

struct ListedInstitute {
  std::optional<std::int64_t> upstream_id{};
  std::string name;
};

struct ListedGroup {
  std::size_t institute = 0;  ///< position in the list of institutes
  std::optional<std::int64_t> upstream_id{};
  std::string name;
  std::optional<std::string> education_form{}, degree_type{};  ///< words of the database; none: not known
  std::optional<int> course_number{};                          ///< none: derived from the name
};

struct SavedGroup {
  std::int64_t group = 0;
  std::optional<std::int64_t> upstream_id{};
  std::string name;
  bool is_new = false;
  bool is_rebound = false;  ///< found by its name, under another number of the site
  bool is_renamed = false;
};

class GroupStore {
 public:
  GroupStore(sql::Tx& tx, UserId) : tx_(tx) {}

  /// Saves the listed groups. The result has every group once, in the order of the list: two entries with one
  /// number, or with one name in one institute, are the same group. Groups that are not listed are unchanged.
  /// A group with another name or institute gets a new revision, because answers show it.
  std::vector<SavedGroup> Save(const std::vector<ListedInstitute>& institutes,
                               const std::vector<ListedGroup>& groups, Listing listing, Day today);
  /// Whether an index has unknown names for most of the known numbers (group_rules.h).
  bool IsForeign(const std::vector<ListedGroup>& groups);
  /// After a complete index that lists these groups and no others. Returns how many groups became inactive:
  /// those missing from three indexes in a row.
  std::int64_t Miss(const std::vector<std::int64_t>& listed);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::schedule
