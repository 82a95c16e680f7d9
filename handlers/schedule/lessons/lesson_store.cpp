#include "handlers/schedule/lessons/lesson_store.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/sha1.h"
#include "handlers/base/sha256.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
namespace {

struct Named {
  std::int64_t id = 0;
  std::string name;
  std::string next_name{};  ///< of a teacher: not yet taken over
};
// How many days before today a page may still remove lessons.
constexpr std::chrono::days kHistory{14};
// Retries after a concurrent insert of the same teacher.
constexpr int kMostLooks = 3;
using ByKey = std::map<std::string, Named>;

std::optional<std::string> TextOf(const std::optional<Day>& day) {
  return day ? std::optional(DayText(*day)) : std::nullopt;
}

// A UUID of version 5 (RFC 9562, 5.5): the same lesson has the same one wherever it is computed.
std::string UidOf(const std::string& seed, const LessonSlot& slot, const std::string& subject_key,
                  int ordinal) {
  Sha1 hash;
  hash.Add(seed);
  hash.Add(" " + TextOf(slot.date).value_or("-") + " " + std::to_string(slot.weekday) + " " +
           std::to_string(slot.number) + " " + std::string(WordOf(slot.type)) + " " +
           std::to_string(slot.subgroup) + " " + std::to_string(ordinal) + " " + subject_key);
  std::string bytes = hash.Finish().substr(0, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x50);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string text = HexText(bytes);
  for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, "-");
  return text;
}

// Everything that the lessons of a page name, as rows.
struct Names {
  ByKey subjects, rooms;
  std::map<std::int64_t, std::string> teachers;  ///< names, by id
};

// Finds rows by their keys, and adds those that are missing.
template <typename Add>
ByKey FindOrAdd(sql::Tx& tx, const sql::Statement& find, const char* id,
                const std::map<std::string, std::string>& names, const Add& add) {
  ByKey found;
  std::vector<std::string> keys;
  for (const auto& [key, name] : names) keys.push_back(key);
  const auto read = [&] {
    for (const auto& row : tx.Query(find, keys))
      found[row["name_key"].As<std::string>()] = {row[id].As<std::int64_t>(), row["name"].As<std::string>()};
  };
  if (keys.empty()) return found;
  read();
  std::vector<std::string> new_keys, new_names, searches;
  for (const auto& [key, name] : names) {
    if (found.contains(key)) continue;
    new_keys.push_back(key);
    new_names.push_back(name);
    searches.push_back(SearchFolded(name));
  }
  if (new_keys.empty()) return found;
  add(new_keys, new_names, searches);
  // Those that another transaction has added meanwhile are committed by now.
  read();
  return found;
}

std::map<std::string, std::string> SubjectsOf(const std::vector<Lesson>& lessons) {
  std::map<std::string, std::string> names;
  for (const Lesson& lesson : lessons) names.emplace(KeyOf(lesson.subject), lesson.subject);
  return names;
}

std::map<std::string, std::string> RoomsOf(const std::vector<Lesson>& lessons) {
  std::map<std::string, std::string> names;
  for (const Lesson& lesson : lessons) {
    if (!lesson.room.empty()) names.emplace(KeyOf(lesson.room), lesson.room);
  }
  return names;
}

// Matches a name, with or without a number of the site, to a teacher. A name without a link matches the
// numbered teacher of that name, if there is only one; a teacher who gets a link later stays the same row.
class Teachers {
 public:
  Teachers(sql::Tx& tx, const std::vector<Lesson>& lessons) : tx_(tx) {
    for (const Lesson& lesson : lessons) {
      for (const TeacherName& teacher : lesson.teachers) {
        if (teacher.upstream_id) {
          numbered_.emplace(*teacher.upstream_id, teacher);
        } else {
          unnumbered_.emplace(KeyOf(teacher.name), teacher);
        }
      }
    }
    if (numbered_.empty() && unnumbered_.empty()) return;
    Read();
    Number();
    // Again if another transaction has added a namesake meanwhile.
    for (int i = 0; i < kMostLooks && Add(); ++i) Read();
  }

  std::int64_t IdOf(const TeacherName& teacher) const {
    if (teacher.upstream_id) return by_number_.at(*teacher.upstream_id).id;
    const auto id = IdOfName(KeyOf(teacher.name));
    if (!id) throw Busy("busy");
    return *id;
  }
  const std::map<std::int64_t, std::string>& names() const { return names_; }
  // Records teachers with a new name, for TakeNames.
  void NoteNames() const {
    std::vector<std::int64_t> ids;
    std::vector<std::string> names;
    for (const auto& [number, teacher] : numbered_) {
      const Named& known = by_number_.at(number);
      const bool is_renamed = KeyOf(known.name) != KeyOf(teacher.name);
      if (!is_renamed && known.next_name.empty()) continue;
      ids.push_back(known.id);
      names.push_back(is_renamed ? teacher.name : std::string());
    }
    if (!ids.empty()) tx_.Later(sql::schedule::note_teacher_names, ids, names);
  }

 private:
  void Read() {
    std::vector<std::int64_t> numbers;
    std::vector<std::string> keys;
    for (const auto& [number, teacher] : numbered_) {
      numbers.push_back(number);
      keys.push_back(KeyOf(teacher.name));
    }
    for (const auto& [key, teacher] : unnumbered_) keys.push_back(key);
    by_number_.clear();
    plain_.clear();
    numbered_of_name_.clear();
    for (const auto& row : tx_.Query(sql::schedule::find_teachers, numbers, keys)) {
      const Named named{row["teacher_id"].As<std::int64_t>(), row["full_name"].As<std::string>(),
                        row["next_name"].As<std::optional<std::string>>().value_or("")};
      const auto key = row["name_key"].As<std::string>();
      names_[named.id] = named.name;
      if (const auto number = row["upstream_id"].As<std::optional<std::int64_t>>()) {
        by_number_[*number] = named;
        numbered_of_name_.emplace(key, named.id);
      } else {
        plain_[key] = named;
      }
    }
  }

  void Number() {
    for (const auto& [number, teacher] : numbered_) {
      const auto plain = plain_.find(KeyOf(teacher.name));
      if (by_number_.contains(number) || plain == plain_.end()) continue;
      tx_.Later(sql::schedule::number_teacher, plain->second.id, number, UrlOf(teacher));
      by_number_[number] = plain->second;
      numbered_of_name_.emplace(plain->first, plain->second.id);
      plain_.erase(plain);
    }
  }

  bool Add() {
    std::vector<std::int64_t> numbers;
    std::vector<std::string> names, keys, searches, urls;
    const auto add = [&](std::int64_t number, const TeacherName& teacher) {
      numbers.push_back(number);
      names.push_back(teacher.name);
      keys.push_back(KeyOf(teacher.name));
      searches.push_back(SearchFolded(teacher.name));
      urls.push_back(teacher.profile_url);
    };
    std::map<std::string, std::size_t> namesakes;  // with a number, when all are added
    for (const auto& [key, id] : numbered_of_name_) ++namesakes[key];
    for (const auto& [number, teacher] : numbered_) {
      if (by_number_.contains(number)) continue;
      add(number, teacher);
      ++namesakes[KeyOf(teacher.name)];
    }
    // If several numbered teachers have that name, the name alone matches none.
    for (const auto& [key, teacher] : unnumbered_) {
      if (namesakes[key] != 1 && !plain_.contains(key)) add(0, teacher);
    }
    if (numbers.empty()) return false;
    tx_.Execute(sql::schedule::add_teachers, numbers, names, keys, searches, urls);
    return true;
  }

  std::optional<std::int64_t> IdOfName(const std::string& key) const {
    if (numbered_of_name_.count(key) == 1) return numbered_of_name_.find(key)->second;
    if (const auto plain = plain_.find(key); plain != plain_.end()) return plain->second.id;
    return std::nullopt;
  }
  static std::optional<std::string> UrlOf(const TeacherName& teacher) {
    return teacher.profile_url.empty() ? std::nullopt : std::optional(teacher.profile_url);
  }

  sql::Tx& tx_;
  std::map<std::int64_t, TeacherName> numbered_;   // of the page, by the site's number
  std::map<std::string, TeacherName> unnumbered_;  // of the page, by key
  std::map<std::int64_t, Named> by_number_;        // rows
  std::map<std::string, Named> plain_;             // rows without a number, by key
  std::multimap<std::string, std::int64_t> numbered_of_name_;
  std::map<std::int64_t, std::string> names_;
};

struct Stored {
  std::vector<StoredLesson> lessons;
  std::vector<std::string> subjects, rooms;  ///< their names, one for each lesson
};

// Also of days outside the window that the source names: an exam in some weeks.
Stored ReadStored(sql::Tx& tx, std::int64_t group, Window window, const std::vector<Lesson>& lessons) {
  Stored stored;
  for (const Lesson& lesson : lessons) {
    if (!lesson.date) continue;
    window.first = std::min(window.first.value_or(*lesson.date), *lesson.date);
    window.last = std::max(window.last.value_or(*lesson.date), *lesson.date);
  }
  const auto first = TextOf(window.first), last = TextOf(window.last);
  for (const auto& row : tx.Query(sql::schedule::lessons_to_compare, group, first, last)) {
    StoredLesson lesson;
    lesson.id = row["lesson_id"].As<std::int64_t>();
    if (const auto day = row["slot_day"].As<std::optional<int>>())
      lesson.slot.date = Day(std::chrono::days(*day));
    lesson.slot.weekday = row["weekday"].As<int>();
    lesson.slot.number = row["lesson_number"].As<int>();
    lesson.slot.subject = row["subject_id"].As<std::int64_t>();
    lesson.slot.type =
        LessonTypeOfWord(row["lesson_type"].As<std::string_view>()).value_or(LessonType::kOther);
    lesson.slot.subgroup = row["subgroup"].As<int>();
    lesson.ordinal = row["ordinal"].As<int>();
    lesson.is_removed = row["is_removed"].As<bool>();
    lesson.details = {.room = row["room_id"].As<std::optional<std::int64_t>>(),
                      .time = {row["start_minute"].As<int>(), row["end_minute"].As<int>()},
                      .week_number = row["week_number"].As<std::optional<int>>(),
                      .additional_text = row["additional_text"].As<std::string>(),
                      .teachers = row["teacher_ids"].As<std::vector<std::int64_t>>()};
    stored.lessons.push_back(std::move(lesson));
    stored.subjects.push_back(row["subject_name"].As<std::string>());
    stored.rooms.push_back(row["room_name"].As<std::string>());
  }
  return stored;
}

// A lesson as the changes show it.
std::string ChangeJson(const LessonSlot& slot, const LessonDetails& details, const std::string& subject,
                       const std::string& room, const std::vector<std::string>& teachers) {
  return JsonWriter()
      .Object()
      .Add("date", TextOf(slot.date))
      .Add("weekday", slot.weekday)
      .Add("lesson_number", slot.number)
      .Add("subject", subject)
      .Add("type", WordOf(slot.type))
      .Add("subgroup", slot.subgroup)
      .Add("start_time", ClockText(details.time.begin))
      .Add("end_time", ClockText(details.time.end))
      .Add("room", room)
      .Add("teachers", teachers)
      .Add("week_number", details.week_number)
      .Add("additional_info", details.additional_text)
      .Finish();
}

// One difference written into the tables, from the plan to its change rows.
class Writing {
 public:
  Writing(sql::Tx& tx, std::int64_t group, std::string uid_seed, const GroupPage& page, const Stored& stored,
          const std::vector<WantedLesson>& wanted, std::map<std::int64_t, std::string> teacher_names)
      : tx_(tx),
        group_(group),
        uid_seed_(std::move(uid_seed)),
        page_(page),
        stored_(stored),
        wanted_(wanted),
        teacher_names_(std::move(teacher_names)) {}

  void Write(const LessonPlan& plan, const ApplyRules& rules, bool is_first) {
    ReadTeacherNames(plan);
    Insert(plan);
    Update(plan);
    Remove(plan);
    WriteTeachers();
    tx_.Later(sql::schedule::insert_changes, group_, rules.run, is_first, changes_.Finish());
    tx_.Later(sql::schedule::raise_revisions, std::vector{group_});
  }

 private:
  // Those of stored lessons, which the page need not name.
  void ReadTeacherNames(const LessonPlan& plan) {
    std::vector<std::int64_t> missing;
    const auto look = [&](std::size_t stored) {
      for (const std::int64_t id : stored_.lessons[stored].details.teachers) {
        if (!teacher_names_.contains(id)) missing.push_back(id);
      }
    };
    for (const auto& pair : plan.changed) look(pair.stored);
    for (const std::size_t stored : plan.removed) look(stored);
    if (missing.empty()) return;
    for (const auto& row : tx_.Query(sql::schedule::teacher_names, missing))
      teacher_names_[row["teacher_id"].As<std::int64_t>()] = row["full_name"].As<std::string>();
  }

  void Insert(const LessonPlan& plan) {
    if (plan.inserted.empty()) return;
    std::map<std::string, std::size_t> by_uid;
    JsonWriter rows;
    rows.Array();
    for (const auto& [wanted, ordinal] : plan.inserted) {
      const LessonSlot& slot = wanted_[wanted].slot;
      const std::string uid = UidOf(uid_seed_, slot, KeyOf(page_.lessons[wanted].subject), ordinal);
      by_uid[uid] = wanted;
      rows.Object()
          .Add("slot_date", TextOf(slot.date))
          .Add("weekday", slot.weekday)
          .Add("lesson_number", slot.number)
          .Add("subject_id", slot.subject)
          .Add("lesson_type", WordOf(slot.type))
          .Add("subgroup", slot.subgroup)
          .Add("ordinal", ordinal)
          .Add("uid", uid);
      AddDetails(rows, wanted).End();
    }
    for (const auto& row : tx_.Query(sql::schedule::insert_lessons, group_, rows.Finish())) {
      const auto id = row["lesson_id"].As<std::int64_t>();
      const std::size_t wanted = by_uid.at(row["uid"].As<std::string>());
      AddTeachers(id, wanted);
      AddChange(id, "added", wanted_[wanted].slot.date, std::nullopt, After(wanted));
    }
  }

  void Update(const LessonPlan& plan) {
    std::vector<std::int64_t> ids;
    JsonWriter rows;
    rows.Array();
    const auto add = [&](const LessonPlan::Pair& pair, const char* kind, std::optional<std::string> before) {
      const std::int64_t id = stored_.lessons[pair.stored].id;
      rows.Object().Add("lesson_id", id);
      AddDetails(rows, pair.wanted).End();
      ids.push_back(id);
      AddTeachers(id, pair.wanted);
      AddChange(id, kind, wanted_[pair.wanted].slot.date, std::move(before), After(pair.wanted));
    };
    for (const auto& pair : plan.revived) add(pair, "added", std::nullopt);
    for (const auto& pair : plan.changed) add(pair, "changed", Before(pair.stored));
    if (ids.empty()) return;
    tx_.Later(sql::schedule::update_lessons, group_, rows.Finish());
    tx_.Later(sql::schedule::delete_lesson_teachers, ids);
  }

  void Remove(const LessonPlan& plan) {
    std::vector<std::int64_t> ids;
    for (const std::size_t stored : plan.removed) {
      const StoredLesson& lesson = stored_.lessons[stored];
      ids.push_back(lesson.id);
      AddChange(lesson.id, "removed", lesson.slot.date, Before(stored), std::nullopt);
    }
    if (!ids.empty()) tx_.Later(sql::schedule::remove_lessons, group_, ids);
  }

  void WriteTeachers() {
    if (!taught_.empty()) tx_.Later(sql::schedule::insert_lesson_teachers, taught_, positions_, teachers_);
  }

  JsonWriter& AddDetails(JsonWriter& rows, std::size_t wanted) const {
    const LessonDetails& details = wanted_[wanted].details;
    return rows.Add("room_id", details.room)
        .Add("start_minute", details.time.begin)
        .Add("end_minute", details.time.end)
        .Add("week_number", details.week_number)
        .Add("type_text", page_.lessons[wanted].type_text)
        .Add("additional_text", details.additional_text);
  }

  void AddTeachers(std::int64_t lesson, std::size_t wanted) {
    std::int64_t position = 0;
    for (const std::int64_t teacher : wanted_[wanted].details.teachers) {
      taught_.push_back(lesson);
      positions_.push_back(++position);
      teachers_.push_back(teacher);
    }
  }

  void AddChange(std::int64_t lesson, const char* kind, const std::optional<Day>& date,
                 std::optional<std::string> before, std::optional<std::string> after) {
    if (!std::exchange(has_changes_, true)) changes_.Array();
    changes_.Object()
        .Add("lesson_id", lesson)
        .Add("kind", kind)
        .Add("slot_date", TextOf(date))
        .Add("before", before)
        .Add("after", after)
        .End();
  }

  std::string After(std::size_t wanted) const {
    const Lesson& lesson = page_.lessons[wanted];
    return ChangeJson(wanted_[wanted].slot, wanted_[wanted].details, lesson.subject, lesson.room,
                      NamesOf(wanted_[wanted].details.teachers));
  }
  std::string Before(std::size_t stored) const {
    const StoredLesson& lesson = stored_.lessons[stored];
    return ChangeJson(lesson.slot, lesson.details, stored_.subjects[stored], stored_.rooms[stored],
                      NamesOf(lesson.details.teachers));
  }
  std::vector<std::string> NamesOf(const std::vector<std::int64_t>& ids) const {
    std::vector<std::string> names;
    for (const std::int64_t id : ids) {
      const auto found = teacher_names_.find(id);
      if (found != teacher_names_.end()) names.push_back(found->second);
    }
    return names;
  }

  sql::Tx& tx_;
  std::int64_t group_;
  std::string uid_seed_;
  const GroupPage& page_;
  const Stored& stored_;
  const std::vector<WantedLesson>& wanted_;
  std::map<std::int64_t, std::string> teacher_names_;
  std::vector<std::int64_t> taught_, positions_, teachers_;
  JsonWriter changes_;
  bool has_changes_ = false;
};

std::vector<WantedLesson> Resolved(const std::vector<Lesson>& lessons, const ByKey& subjects,
                                   const ByKey& rooms, const Teachers& teachers) {
  std::vector<WantedLesson> wanted;
  for (const Lesson& lesson : lessons) {
    WantedLesson one;
    one.slot = {.date = lesson.date,
                .weekday = lesson.weekday,
                .number = lesson.number,
                .subject = subjects.at(KeyOf(lesson.subject)).id,
                .type = lesson.type,
                .subgroup = lesson.subgroup};
    if (!lesson.room.empty()) one.details.room = rooms.at(KeyOf(lesson.room)).id;
    one.details.time = lesson.time;
    one.details.week_number = lesson.week_number;
    one.details.additional_text = lesson.additional_text;
    for (const TeacherName& teacher : lesson.teachers) {
      const std::int64_t id = teachers.IdOf(teacher);
      auto& ids = one.details.teachers;
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
    }
    wanted.push_back(std::move(one));
  }
  return wanted;
}

// Sources count weeks from different days; calendars do not show the week number.
void RenumberWeeks(sql::Tx& tx, std::int64_t group, const LessonPlan& plan,
                   const std::vector<StoredLesson>& stored, const std::vector<WantedLesson>& wanted) {
  std::vector<std::int64_t> ids, weeks;
  for (const auto& [before, after] : plan.renumbered) {
    ids.push_back(stored[before].id);
    weeks.push_back(wanted[after].details.week_number.value());
  }
  tx.Later(sql::schedule::renumber_weeks, group, ids, weeks);
}

}  // namespace

std::string_view WordOf(Applied::Kind kind) {
  switch (kind) {
    case Applied::Kind::kApplied:
      return "ok";
    case Applied::Kind::kHeld:
      return "held";
    default:
      return "unchanged";
  }
}

Applied LessonStore::ApplyGroup(const GroupPage& page, const ApplyRules& rules) {
  // Three queries in one round trip, read in this order.
  auto locking = tx_.Ask(sql::schedule::lock_group, page.group);
  std::optional<sql::Answer> fencing;
  if (rules.fence) fencing = tx_.Ask(sql::schedule::fence_run, rules.fence->run, rules.fence->lease);
  auto looking = tx_.Ask(sql::schedule::find_group_state, page.group);
  const sql::Rows groups = locking.Get();
  if (groups.empty()) throw NotFound("no_such_group");
  if (fencing && fencing->Get().empty()) throw RunFenced();
  const sql::Row group = groups[0];
  const sql::Rows states = looking.Get();
  const std::optional<sql::Row> state = states.empty() ? std::nullopt : std::optional(states[0]);
  Applied applied{.found = static_cast<std::int64_t>(page.lessons.size())};
  std::optional<sql::Bytes> hash;
  if (page.hash) hash = sql::AsBytes(*page.hash);

  const bool was_held = state && (*state)["held_since"].As<std::optional<sql::Time>>().has_value();
  if (state && page.hash && !was_held &&
      (*state)["page_hash"].As<std::optional<std::string>>() == page.hash) {
    tx_.Later(sql::schedule::confirm_group, page.group, hash, page.has_heading);
    return applied;
  }

  const ByKey subjects = FindOrAdd(tx_, sql::schedule::find_subjects, "subject_id", SubjectsOf(page.lessons),
                                   [&](const auto& keys, const auto& names, const auto& searches) {
                                     tx_.Execute(sql::schedule::add_subjects, keys, names, searches);
                                   });
  const ByKey rooms = FindOrAdd(tx_, sql::schedule::find_rooms, "room_id", RoomsOf(page.lessons),
                                [&](const auto& keys, const auto& names, const auto& searches) {
                                  std::vector<std::string> online;
                                  for (std::size_t i = 0; i < names.size(); ++i) {
                                    if (IsOnlineRoom(names[i], rules.online_rooms)) online.push_back(keys[i]);
                                  }
                                  tx_.Execute(sql::schedule::add_rooms, keys, names, searches, online);
                                });
  const Teachers teachers(tx_, page.lessons);
  const std::vector<WantedLesson> wanted = Resolved(page.lessons, subjects, rooms, teachers);
  const Stored stored = ReadStored(tx_, page.group, page.window, page.lessons);
  // A page shows the current weeks. Its data about older ones is more likely a mistake than news, so history
  // stays.
  Window window = page.window;
  if (window.first) window.first = std::max(*window.first, rules.today - kHistory);
  const LessonPlan plan = PlanOf(stored.lessons, wanted, window);

  if (IsSuspicious(plan, stored.lessons, wanted.size(), window, rules.today)) {
    // A second fetch within the same run would see the same fault of the site.
    const bool is_later = was_held && (*state)["held_run_id"].As<std::optional<std::int64_t>>() != rules.run;
    if (!is_later) {
      tx_.Later(sql::schedule::hold_group, page.group, rules.run);
      applied.kind = Applied::Kind::kHeld;
      return applied;
    }
  }
  teachers.NoteNames();
  tx_.Later(sql::schedule::confirm_group, page.group, hash, page.has_heading);
  if (!plan.renumbered.empty()) RenumberWeeks(tx_, page.group, plan, stored.lessons, wanted);
  if (plan.IsEmpty()) {
    // Read, and found to be empty: no longer revision 0.
    if (group["revision"].As<std::int64_t>() == 0 || !plan.renumbered.empty())
      tx_.Later(sql::schedule::raise_revisions, std::vector{page.group});
    return applied;
  }
  Writing(tx_, page.group, group["uid_seed"].As<std::string>(), page, stored, wanted, teachers.names())
      .Write(plan, rules, group["revision"].As<std::int64_t>() == 0);
  applied.kind = Applied::Kind::kApplied;
  applied.added = static_cast<std::int64_t>(plan.inserted.size() + plan.revived.size());
  applied.changed = static_cast<std::int64_t>(plan.changed.size());
  applied.removed = static_cast<std::int64_t>(plan.removed.size());
  return applied;
}

void LessonStore::TakeNames(Day today) {
  const auto due = tx_.Query(sql::schedule::due_teachers);
  if (due.empty()) return;
  std::vector<std::int64_t> teachers, renamed;
  std::vector<std::string> names, keys, searches;
  for (const auto& row : due) {
    teachers.push_back(row["teacher_id"].As<std::int64_t>());
    const auto name = row["next_name"].As<std::optional<std::string>>();
    if (!name || !row["may_be_renamed"].As<bool>()) continue;
    renamed.push_back(teachers.back());
    names.push_back(*name);
    keys.push_back(KeyOf(*name));
    searches.push_back(SearchFolded(*name));
  }
  // Groups before teachers, as ApplyGroup.
  const auto groups =
      tx_.Query(sql::schedule::lock_groups_of_teachers, teachers).Column<std::int64_t>("group_id");
  tx_.Later(sql::schedule::show_teacher_numbers, teachers);
  if (!renamed.empty()) {
    const auto shown = tx_.Query(sql::schedule::rename_teachers, renamed, names, keys, searches)
                           .Column<std::int64_t>("teacher_id");
    tx_.Later(sql::schedule::touch_lessons_of_teachers, shown, TextOf(today));
  }
  tx_.Later(sql::schedule::raise_revisions, groups);
}

}  // namespace syncline::schedule
