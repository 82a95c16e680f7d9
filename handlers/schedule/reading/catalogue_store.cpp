#include "handlers/schedule/reading/catalogue_store.h"

#include "handlers/base/utf8.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/reading/search_rules.h"
#include "sql/queries/schedule.h"

namespace syncline::schedule {
namespace {

using Text = std::optional<std::string>;
using Number = std::optional<std::int64_t>;

// Shorter texts are similar to everything.
constexpr std::size_t kLeastSimilar = 4;
// Of pg_trgm: one wrong letter in a word of five leaves about this.
constexpr std::string_view kLeastLikeness = "0.3";

Institute ReadInstitute(const sql::Row& row) {
  return {.id = row["institute_id"].As<std::int64_t>(),
          .name = row["name"].As<std::string>(),
          .upstream_id = row["upstream_id"].As<Number>(),
          .created_at = row["created_at"].As<sql::Time>(),
          .updated_at = row["updated_at"].As<sql::Time>()};
}

Group ReadGroup(const sql::Row& row) {
  return {.id = row["group_id"].As<std::int64_t>(),
          .name = row["name"].As<std::string>(),
          .upstream_id = row["upstream_id"].As<Number>(),
          .institute = row["institute_id"].As<Number>(),
          .institute_name = row["institute_name"].As<Text>(),
          .education_form = row["education_form"].As<Text>(),
          .degree_type = row["degree_type"].As<Text>(),
          .course_number = row["course_number"].As<Number>()};
}

Teacher ReadTeacher(const sql::Row& row) {
  return {.id = row["teacher_id"].As<std::int64_t>(),
          .full_name = row["full_name"].As<std::string>(),
          .upstream_id = row["upstream_id"].As<Number>(),
          .profile_url = row["profile_url"].As<Text>()};
}

Subject ReadSubject(const sql::Row& row) {
  return {row["subject_id"].As<std::int64_t>(), row["name"].As<std::string>()};
}

Room ReadRoom(const sql::Row& row) {
  return {row["room_id"].As<std::int64_t>(), row["name"].As<std::string>(), row["is_online"].As<bool>()};
}

template <typename Read>
auto All(const sql::Rows& rows, Read read) {
  std::vector<decltype(read(rows[0]))> all;
  all.reserve(static_cast<std::size_t>(rows.size()));
  for (const sql::Row row : rows) all.push_back(read(row));
  return all;
}

template <typename Read>
auto Maybe(const std::optional<sql::Row>& row, Read read) {
  return row ? std::optional(read(*row)) : std::nullopt;
}

std::vector<FoundName> ReadNames(const sql::Rows& rows) {
  return All(rows, [](const sql::Row& row) {
    return FoundName{row["kind"].As<std::string>(), row["id"].As<std::int64_t>(),
                     row["name"].As<std::string>()};
  });
}

}  // namespace

std::vector<Institute> CatalogueStore::Institutes(const std::string& search, const std::string& order) {
  std::vector<Institute> found = All(tx_.Query(sql::schedule::list_institutes, order), ReadInstitute);
  std::erase_if(found, [&](const Institute& institute) { return !HasAllWords(institute.name, search); });
  return found;
}

std::optional<Institute> CatalogueStore::FindInstitute(std::int64_t id) {
  return Maybe(tx_.MaybeOne(sql::schedule::find_institute, id), ReadInstitute);
}

std::optional<std::vector<Group>> CatalogueStore::Groups(const GroupFilter& filter,
                                                         const std::string& order) {
  if (filter.institute && !FindInstitute(*filter.institute)) return std::nullopt;
  const auto patterns = SearchPatterns(filter.search);
  return All(tx_.Query(sql::schedule::list_groups, filter.institute, filter.education_form,
                       filter.degree_type, filter.course_number, patterns, order, LongestPattern(patterns)),
             ReadGroup);
}

std::optional<WholeGroup> CatalogueStore::FindGroup(std::int64_t id) {
  const auto row = tx_.MaybeOne(sql::schedule::find_group, id);
  if (!row) return std::nullopt;
  WholeGroup found{.group = ReadGroup(*row),
                   .is_active = (*row)["is_active"].As<bool>(),
                   .created_at = (*row)["created_at"].As<sql::Time>(),
                   .updated_at = (*row)["updated_at"].As<sql::Time>()};
  if (found.group.institute) {
    found.institute = Institute{.id = *found.group.institute,
                                .name = *found.group.institute_name,
                                .upstream_id = (*row)["institute_upstream_id"].As<Number>(),
                                .created_at = (*row)["institute_created_at"].As<sql::Time>(),
                                .updated_at = (*row)["institute_updated_at"].As<sql::Time>()};
  }
  return found;
}

std::vector<Teacher> CatalogueStore::Teachers(const std::string& search, const std::string& order) {
  const auto patterns = SearchPatterns(search);
  return All(tx_.Query(sql::schedule::list_teachers, patterns, order, LongestPattern(patterns)), ReadTeacher);
}

std::optional<Teacher> CatalogueStore::FindTeacher(std::int64_t id) {
  return Maybe(tx_.MaybeOne(sql::schedule::find_teacher, id), ReadTeacher);
}

std::pair<std::vector<Subject>, std::int64_t> CatalogueStore::Subjects(const std::string& search,
                                                                       const std::string& order,
                                                                       std::int64_t limit,
                                                                       std::int64_t offset) {
  const auto patterns = SearchPatterns(search);
  const sql::Rows rows =
      tx_.Query(sql::schedule::page_subjects, patterns, order, limit, offset, LongestPattern(patterns));
  const std::int64_t count = rows.empty() ? 0 : rows[0]["subjects"].As<std::int64_t>();
  return {All(rows, ReadSubject), count};
}

std::optional<Subject> CatalogueStore::FindSubject(std::int64_t id) {
  return Maybe(tx_.MaybeOne(sql::schedule::find_subject, id), ReadSubject);
}

std::vector<Room> CatalogueStore::Rooms(const std::string& search) {
  const auto patterns = SearchPatterns(search);
  return All(tx_.Query(sql::schedule::list_rooms, patterns, LongestPattern(patterns)), ReadRoom);
}

std::optional<Room> CatalogueStore::FindRoom(std::int64_t id) {
  return Maybe(tx_.MaybeOne(sql::schedule::find_room, id), ReadRoom);
}

FoundNames CatalogueStore::Search(const std::string& typed, std::int64_t limit) {
  const std::string folded = SearchFolded(ShownText(typed));
  if (folded.empty()) return {};
  const auto patterns = SearchPatterns(typed);
  FoundNames found{.names = ReadNames(tx_.Query(sql::schedule::search_names, patterns, PrefixPattern(typed),
                                                limit, LongestPattern(patterns)))};
  if (!found.names.empty() || CountCharacters(folded) < kLeastSimilar) return found;
  tx_.Query(sql::schedule::set_least_likeness, kLeastLikeness);
  found.names = ReadNames(tx_.Query(sql::schedule::search_similar_names, folded, limit));
  found.is_similar = !found.names.empty();
  return found;
}

}  // namespace syncline::schedule
