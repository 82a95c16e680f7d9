#pragma once
// Reads of the timetable, which all accounts share: lessons, their changes, free rooms, and freshness.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "handlers/base/ids.h"
#include "handlers/schedule/lessons/lesson_rules.h"
#include "handlers/schedule/reading/catalogue_store.h"
#include "sql/tx.h"

namespace syncline::schedule {

struct ShownTeacher {
  std::int64_t id = 0;
  std::optional<std::int64_t> upstream_id{};
  std::string name;
};

/// A lesson as answers show it.
struct ShownLesson {
  std::int64_t id = 0;
  std::int64_t group = 0, subject = 0;
  std::string group_name, subject_name;
  LessonType type = LessonType::kOther;
  std::optional<std::int64_t> room{};
  std::string room_name{};
  bool is_online = false;
  std::optional<std::string> date{};  ///< "2031-10-06"
  std::int64_t weekday = 1, number = 1;
  std::string start_time, end_time;  ///< "08:00:00"
  std::optional<std::int64_t> week_number{};
  std::int64_t subgroup = 0;
  std::string additional_text{};
  std::string uid{};
  std::int64_t sequence = 0;
  sql::Time created_at{}, modified_at{};
  bool is_removed = false;
  std::vector<ShownTeacher> teachers{};  ///< in the order of the site
};

struct LessonFilter {
  std::optional<std::int64_t> group{}, subject{}, teacher{}, room{}, institute{};
  std::optional<std::string> date_from{}, date_to{};  ///< days; lessons without a date always pass
  std::optional<std::int64_t> weekday{}, number{};
  std::optional<std::int64_t> subgroup{};  ///< lessons of the whole group always pass
  std::vector<std::string> types{};        ///< words of the database; none: all
  std::string search{};
  /// 1 weekday, 2 number, 3 begin; negative: descending; 0: none.
  std::array<int, 3> order{1, 2, 3};

  /// Whether the filter names a group, a teacher, a room or a subject, so that the answer is bounded.
  bool IsNarrow() const { return group || subject || teacher || room; }
  /// Whether the only filters are a group and properties of its lessons.
  bool IsOfOneGroup() const { return group && !subject && !teacher && !room && !institute && search.empty(); }
};

/// Names of parameters whose row does not exist.
using MissingRows = std::vector<std::string>;

/// The state from which an answer's validators are made.
struct TimetableState {
  std::int64_t revision = 0;              ///< increases with every visible change
  sql::Time changed_at{};                 ///< never falls
  std::optional<sql::Time> data_as_of{};  ///< when the site or a client last confirmed it; none: never
};

/// The state from which a feed's validators are made.
struct FeedState {
  std::string version;     ///< differs for other lessons, and after each visible change of one
  sql::Time changed_at{};  ///< never falls
};

struct GroupLessons {
  TimetableState state;
  std::vector<ShownLesson> lessons;
};

struct LessonDetail {
  ShownLesson lesson{};
  Group group{};
  std::optional<Teacher> teacher{};  ///< the first one
};

struct LessonChange {
  std::int64_t id = 0, lesson = 0;
  std::string kind;  ///< "added", "changed", "removed"
  std::optional<std::string> date{};
  bool is_first = false;                         ///< of a group that had never been read
  std::optional<std::string> before{}, after{};  ///< JSON
  sql::Time changed_at{};
  std::optional<std::int64_t> run{};
};

struct Freshness {
  TimetableState state;
  std::int64_t groups = 0, failing_groups = 0;
  std::optional<sql::Time> last_run_at{}, index_read_at{};
  std::string period{};  ///< as the site names its term
};

/// The lessons of one group, teacher or room for a feed.
struct FeedWindow {
  std::optional<std::int64_t> group{}, teacher{}, room{};
  std::int64_t subgroup = 0;  ///< 0: all
  Day first{}, last{};
  sql::Time removed_since{};  ///< lessons that were removed before are left out
};

class TimetableStore {
 public:
  TimetableStore(sql::Tx& tx, UserId) : tx_(tx) {}

  /// One statement. None: there is no such group. `filter` IsOfOneGroup.
  std::optional<GroupLessons> OfGroup(const LessonFilter& filter);
  /// One statement. None: there is no such group.
  std::optional<TimetableState> StateOf(std::int64_t group);
  /// Of all groups.
  TimetableState State();
  Freshness Fresh();
  MissingRows CheckRows(const LessonFilter& filter);
  std::vector<ShownLesson> Find(const LessonFilter& filter);
  /// The same in constant memory.
  void Each(const LessonFilter& filter, const std::function<void(const ShownLesson&)>& lesson);
  std::optional<LessonDetail> FindOne(std::int64_t lesson);
  /// 0: none.
  std::int64_t NewestChange(std::int64_t group);
  /// The oldest first.
  std::vector<LessonChange> Changes(std::int64_t group, std::int64_t after, std::optional<sql::Time> since,
                                    std::int64_t limit);
  /// Placeholders included.
  std::vector<Room> FreeRooms(Day term, Day day, int number, LessonTime time);
  std::vector<ShownLesson> OfFeed(const FeedWindow& window);
  /// Of the same lessons. One statement.
  FeedState StateOfFeed(const FeedWindow& window);

 private:
  sql::Tx& tx_;
};

}  // namespace syncline::schedule
