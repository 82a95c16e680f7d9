#pragma once
// Reads of institutes, groups, teachers, subjects and rooms, which all accounts share.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "handlers/base/ids.h"
#include "sql/tx.h"

namespace syncline::schedule {

struct Institute {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::int64_t> upstream_id{};
  sql::Time created_at{}, updated_at{};
};

struct Group {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::int64_t> upstream_id{};
  std::optional<std::int64_t> institute{};
  std::optional<std::string> institute_name{};
  std::optional<std::string> education_form{}, degree_type{};  ///< words of the database
  std::optional<std::int64_t> course_number{};
};

/// A group with all its details.
struct WholeGroup {
  Group group;
  std::optional<Institute> institute{};
  bool is_active = true;  ///< the site lists it
  sql::Time created_at{}, updated_at{};
};

struct Teacher {
  std::int64_t id = 0;
  std::string full_name;
  std::optional<std::int64_t> upstream_id{};
  std::optional<std::string> profile_url{};
};

struct Subject {
  std::int64_t id = 0;
  std::string name;
};

struct Room {
  std::int64_t id = 0;
  std::string name;
  bool is_online = false;
};

struct GroupFilter {
  std::optional<std::int64_t> institute{};
  std::optional<std::string> education_form{}, degree_type{};
  std::optional<std::int64_t> course_number{};
  std::string search{};
};

/// A result of a search over all kinds.
struct FoundName {
  std::string kind;  ///< "group", "teacher", "subject", "room"
  std::int64_t id = 0;
  std::string name;
};
struct FoundNames {
  std::vector<FoundName> names;  ///< by kind, the best first
  bool is_similar = false;       ///< nothing contains the text; these are similar
};

class CatalogueStore {
 public:
  CatalogueStore(sql::Tx& tx, UserId) : tx_(tx) {}

  // `search`: a user's query; all words must match. `order`: the name of a column, with a minus for
  // descending order.

  std::vector<Institute> Institutes(const std::string& search, const std::string& order);
  std::optional<Institute> FindInstitute(std::int64_t id);
  /// None: there is no such institute.
  std::optional<std::vector<Group>> Groups(const GroupFilter& filter, const std::string& order);
  std::optional<WholeGroup> FindGroup(std::int64_t id);
  std::vector<Teacher> Teachers(const std::string& search, const std::string& order);
  std::optional<Teacher> FindTeacher(std::int64_t id);
  /// A page, and the total number of rows. None for a page past the end.
  std::pair<std::vector<Subject>, std::int64_t> Subjects(const std::string& search, const std::string& order,
                                                         std::int64_t limit, std::int64_t offset);
  std::optional<Subject> FindSubject(std::int64_t id);
  std::vector<Room> Rooms(const std::string& search);
  std::optional<Room> FindRoom(std::int64_t id);

  /// At most `limit` of each kind.
  FoundNames Search(const std::string& typed, std::int64_t limit);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::schedule
