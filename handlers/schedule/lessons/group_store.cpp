#include "handlers/schedule/lessons/group_store.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "handlers/base/json_writer.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
namespace {

constexpr std::int64_t kMissesToInactive = 3;

struct InstituteRow {
  KnownInstitute known;
  std::string name;
  bool is_active = true;
};

struct GroupRow {
  KnownGroup known;
  std::string name;
  std::optional<std::string> education_form, degree_type;
  std::optional<int> course_number;
};

// What is listed, every group once.
struct Entry {
  const ListedGroup* listed;
  std::vector<std::size_t> institutes;  ///< positions in the list of institutes
  std::string key;
};

std::vector<Entry> EntriesOf(const std::vector<ListedGroup>& groups) {
  std::vector<Entry> entries;
  std::map<std::int64_t, std::size_t> by_number;
  std::map<std::pair<std::string, std::size_t>, std::size_t> by_name;
  for (const ListedGroup& group : groups) {
    const std::string key = KeyOf(group.name);
    std::optional<std::size_t> same;
    if (group.upstream_id && by_number.contains(*group.upstream_id)) {
      same = by_number.at(*group.upstream_id);
    } else if (const auto found = by_name.find({key, group.institute}); found != by_name.end()) {
      same = found->second;
    }
    if (same) {
      entries[*same].institutes.push_back(group.institute);
      continue;
    }
    if (group.upstream_id) by_number[*group.upstream_id] = entries.size();
    by_name[{key, group.institute}] = entries.size();
    entries.push_back({&group, {group.institute}, key});
  }
  return entries;
}

// The state of the tables beside what is listed, and what is to be written.
class Saving {
 public:
  Saving(sql::Tx& tx, const std::vector<ListedInstitute>& institutes, const std::vector<ListedGroup>& groups,
         Listing listing)
      : tx_(tx), listing_(listing), listed_institutes_(institutes), entries_(EntriesOf(groups)) {
    for (const ListedInstitute& institute : institutes)
      institute_entries_.push_back({institute.upstream_id, KeyOf(institute.name)});
    Read();
  }

  bool IsAsBefore() const {
    return std::all_of(institute_matches_.begin(), institute_matches_.end(),
                       [](const auto& m) { return m.has_value(); }) &&
           ChangedInstitutes().empty() &&
           std::all_of(matches_.begin(), matches_.end(),
                       [](const GroupMatch& m) { return m.known.has_value(); }) &&
           ChangedGroups().empty();
  }

  void Write(Day today) {
    WriteInstitutes();
    Match();
    WriteGroups(today);
  }

  std::vector<SavedGroup> Answer() {
    std::vector<SavedGroup> saved;
    std::vector<std::int64_t> seen;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      SavedGroup one{.upstream_id = entry.listed->upstream_id, .name = entry.listed->name};
      if (matches_[i].known) {
        const GroupRow& row = groups_[*matches_[i].known];
        one.group = row.known.id;
        one.is_renamed = row.known.key != entry.key;
        if (!one.is_renamed) one.name = row.name;
        if (!one.upstream_id) one.upstream_id = row.known.upstream_id;
        one.is_rebound = row.known.upstream_id != one.upstream_id;
      } else {
        one.group = added_.at(i);
        one.is_new = true;
      }
      seen.push_back(one.group);
      saved.push_back(std::move(one));
    }
    std::sort(seen.begin(), seen.end());
    if (!seen.empty()) tx_.Later(sql::schedule::see_groups, seen);
    return saved;
  }

 private:
  void Read() {
    for (const auto& row : tx_.Query(sql::schedule::list_known_institutes)) {
      institutes_.push_back(
          {{row["institute_id"].As<std::int64_t>(), row["upstream_id"].As<std::optional<std::int64_t>>(),
            row["name_key"].As<std::string>()},
           row["name"].As<std::string>(),
           row["is_active"].As<bool>()});
    }
    std::vector<std::string> keys;
    std::vector<std::int64_t> numbers;
    for (const Entry& entry : entries_) {
      keys.push_back(entry.key);
      if (entry.listed->upstream_id) numbers.push_back(*entry.listed->upstream_id);
    }
    for (const auto& row : tx_.Query(sql::schedule::find_known_groups, keys, numbers)) {
      groups_.push_back({{row["group_id"].As<std::int64_t>(), row["institute_id"].As<std::int64_t>(),
                          row["upstream_id"].As<std::optional<std::int64_t>>(),
                          row["name_key"].As<std::string>(), row["is_active"].As<bool>()},
                         row["name"].As<std::string>(),
                         row["education_form"].As<std::optional<std::string>>(),
                         row["degree_type"].As<std::optional<std::string>>(),
                         row["course_number"].As<std::optional<int>>()});
    }
    std::vector<KnownInstitute> known;
    for (const InstituteRow& row : institutes_) known.push_back(row.known);
    institute_matches_ = MatchInstitutes(known, institute_entries_, listing_);
    institute_ids_.assign(institute_entries_.size(), 0);
    for (std::size_t i = 0; i < institute_matches_.size(); ++i) {
      if (institute_matches_[i]) institute_ids_[i] = institutes_[*institute_matches_[i]].known.id;
    }
    Match();
  }

  void Match() {
    std::vector<KnownGroup> known;
    for (const GroupRow& row : groups_) known.push_back(row.known);
    std::vector<GroupEntry> entries;
    for (const Entry& entry : entries_) {
      GroupEntry one{.institutes = {}, .upstream_id = entry.listed->upstream_id, .key = entry.key};
      for (const std::size_t institute : entry.institutes)
        one.institutes.push_back(institute_ids_.at(institute));
      one.like_named = LikeNamed(entry.institutes.front());
      entries.push_back(std::move(one));
    }
    matches_ = MatchGroups(known, entries, listing_);
  }

  // Of a new institute: the only known one with its name, whose number it may have taken the place of.
  std::optional<std::int64_t> LikeNamed(std::size_t institute) const {
    if (institute_matches_[institute]) return std::nullopt;
    std::optional<std::int64_t> found;
    for (const InstituteRow& row : institutes_) {
      if (row.known.key != institute_entries_[institute].key) continue;
      if (found) return std::nullopt;
      found = row.known.id;
    }
    return found;
  }

  std::vector<std::size_t> ChangedInstitutes() const {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < institute_matches_.size(); ++i) {
      if (!institute_matches_[i]) continue;
      const InstituteRow& row = institutes_[*institute_matches_[i]];
      if (row.known.key != institute_entries_[i].key || !row.is_active ||
          row.known.upstream_id != institute_entries_[i].upstream_id)
        changed.push_back(i);
    }
    return changed;
  }

  std::vector<std::size_t> ChangedGroups() const {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!matches_[i].known) continue;
      const GroupRow& row = groups_[*matches_[i].known];
      const ListedGroup& listed = *entries_[i].listed;
      const auto differs = [](const auto& now, const auto& before) { return now && now != before; };
      if (row.known.key != entries_[i].key || row.known.institute != matches_[i].institute ||
          !row.known.is_active || differs(listed.upstream_id, row.known.upstream_id) ||
          differs(listed.education_form, row.education_form) ||
          differs(listed.degree_type, row.degree_type) || differs(CourseOf(listed), row.course_number))
        changed.push_back(i);
    }
    return changed;
  }

  static std::optional<int> CourseOf(const ListedGroup& listed) {
    return listed.course_number ? listed.course_number : NumbersOf(listed.name).course;
  }

  void WriteInstitutes() {
    std::vector<std::int64_t> ids, numbers;
    std::vector<std::string> names, keys;
    for (const std::size_t i : ChangedInstitutes()) {
      ids.push_back(institute_ids_[i]);
      numbers.push_back(institute_entries_[i].upstream_id.value_or(0));
      names.push_back(listed_institutes_[i].name);
      keys.push_back(institute_entries_[i].key);
    }
    if (!ids.empty()) tx_.Later(sql::schedule::update_institutes, ids, numbers, names, keys);
    // New ones, those without a number once for each name.
    numbers.clear(), names.clear(), keys.clear();
    std::map<std::pair<std::int64_t, std::string>, std::vector<std::size_t>> added;
    for (std::size_t i = 0; i < institute_matches_.size(); ++i) {
      if (institute_matches_[i]) continue;
      const auto number = institute_entries_[i].upstream_id;
      added[{number.value_or(0), number ? std::string() : institute_entries_[i].key}].push_back(i);
    }
    for (const auto& [identity, places] : added) {
      numbers.push_back(identity.first);
      names.push_back(listed_institutes_[places.front()].name);
      keys.push_back(institute_entries_[places.front()].key);
    }
    if (added.empty()) return;
    const auto new_ids =
        tx_.Query(sql::schedule::add_institutes, numbers, names, keys).Column<std::int64_t>("institute_id");
    std::size_t at = 0;
    for (const auto& [identity, places] : added) {
      for (const std::size_t i : places) institute_ids_[i] = new_ids.at(at);
      ++at;
    }
  }

  void WriteGroups(Day today) {
    std::vector<std::int64_t> locked, taken, keep, renamed, moved, rebound;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto number = entries_[i].listed->upstream_id;
      const bool is_known = matches_[i].known.has_value();
      if (is_known) locked.push_back(groups_[*matches_[i].known].known.id);
      if (!number) continue;
      taken.push_back(*number);
      if (is_known && groups_[*matches_[i].known].known.upstream_id == number) keep.push_back(locked.back());
    }
    tx_.Query(sql::schedule::lock_groups, locked, taken);
    if (!taken.empty()) tx_.Execute(sql::schedule::unbind_groups, taken, keep);
    JsonWriter changed;
    changed.Array();
    const std::vector<std::size_t> changes = ChangedGroups();
    for (const std::size_t i : changes) {
      const GroupRow& row = groups_[*matches_[i].known];
      changed.Object().Add("group_id", row.known.id);
      const bool is_renamed = row.known.key != entries_[i].key;
      AddRow(changed, i, is_renamed ? entries_[i].listed->name : row.name).End();
      const auto number = entries_[i].listed->upstream_id;
      if (is_renamed) renamed.push_back(row.known.id);
      if (is_renamed || row.known.institute != matches_[i].institute) moved.push_back(row.known.id);
      if (number && row.known.upstream_id != number) rebound.push_back(row.known.id);
    }
    if (!changes.empty()) tx_.Execute(sql::schedule::update_groups, changed.Finish());
    if (!rebound.empty()) tx_.Later(sql::schedule::forget_validators, rebound);
    if (!moved.empty()) tx_.Later(sql::schedule::raise_revisions, moved);
    if (!renamed.empty()) tx_.Later(sql::schedule::touch_lessons_of_groups, renamed, DayText(today));
    JsonWriter added;
    added.Array();
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (matches_[i].known) continue;
      AddRow(added.Object(), i, entries_[i].listed->name).End();
      places.push_back(i);
    }
    if (places.empty()) return;
    const auto ids = tx_.Query(sql::schedule::add_groups, added.Finish()).Column<std::int64_t>("group_id");
    for (std::size_t at = 0; at < places.size(); ++at) added_[places[at]] = ids.at(at);
  }

  JsonWriter& AddRow(JsonWriter& rows, std::size_t entry, const std::string& name) const {
    const ListedGroup& listed = *entries_[entry].listed;
    const std::int64_t institute = matches_[entry].institute;
    return rows.Add("institute_id", institute == 0 ? std::nullopt : std::optional(institute))
        .Add("upstream_id", listed.upstream_id)
        .Add("name", name)
        .Add("name_key", KeyOf(name))
        .Add("search_text", SearchFolded(name))
        .Add("education_form", listed.education_form)
        .Add("degree_type", listed.degree_type)
        .Add("course_number", CourseOf(listed))
        .Add("parallel_number", NumbersOf(name).parallel);
  }

  sql::Tx& tx_;
  const Listing listing_;
  const std::vector<ListedInstitute>& listed_institutes_;
  std::vector<Entry> entries_;
  std::vector<InstituteEntry> institute_entries_;
  std::vector<InstituteRow> institutes_;
  std::vector<GroupRow> groups_;
  std::vector<std::optional<std::size_t>> institute_matches_;
  std::vector<std::int64_t> institute_ids_;  ///< of the listed ones; 0: to be added
  std::vector<GroupMatch> matches_;
  std::map<std::size_t, std::int64_t> added_;
};

}  // namespace

std::vector<SavedGroup> GroupStore::Save(const std::vector<ListedInstitute>& institutes,
                                         const std::vector<ListedGroup>& groups, Listing listing, Day today) {
  if (listing == Listing::kIndex) {
    // It writes all groups in any case, and those that are missing, too (Miss).
    tx_.Query(sql::schedule::begin_index);
    tx_.Query(sql::schedule::lock_all_groups);
  } else {
    if (Saving before(tx_, institutes, groups, listing); before.IsAsBefore()) return before.Answer();
    tx_.Query(sql::schedule::begin_index);
  }
  Saving saving(tx_, institutes, groups, listing);
  saving.Write(today);
  return saving.Answer();
}

bool GroupStore::IsForeign(const std::vector<ListedGroup>& groups) {
  std::vector<std::string> keys;
  std::vector<std::int64_t> numbers;
  std::vector<GroupEntry> entries;
  for (const ListedGroup& group : groups) {
    entries.push_back({.institutes = {0}, .upstream_id = group.upstream_id, .key = KeyOf(group.name)});
    keys.push_back(entries.back().key);
    if (group.upstream_id) numbers.push_back(*group.upstream_id);
  }
  std::vector<KnownGroup> known;
  for (const auto& row : tx_.Query(sql::schedule::find_known_groups, keys, numbers)) {
    known.push_back({.upstream_id = row["upstream_id"].As<std::optional<std::int64_t>>(),
                     .key = row["name_key"].As<std::string>()});
  }
  return schedule::IsForeign(known, entries);
}

std::int64_t GroupStore::Miss(const std::vector<std::int64_t>& listed) {
  std::int64_t inactive = 0;
  for (const auto& row : tx_.Query(sql::schedule::miss_groups, listed, kMissesToInactive)) {
    if (!row["is_active"].As<bool>()) ++inactive;
  }
  return inactive;
}

}  // namespace syncline::schedule
