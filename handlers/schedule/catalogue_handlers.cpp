#include "handlers/schedule/catalogue_handlers.h"

#include "handlers/base/input.h"
#include "handlers/schedule/lessons/name_rules.h"
#include "handlers/schedule/reading/answer_wire.h"
#include "handlers/schedule/reading/catalogue_store.h"
#include "handlers/schedule/reading/catalogue_wire.h"
#include "handlers/schedule/reading/profile_store.h"

namespace syncline::schedule {
namespace {

constexpr std::string_view kNameOrders[] = {"name", "created_at"};
constexpr std::string_view kFullNameOrders[] = {"full_name", "created_at"};
constexpr std::string_view kCollections[] = {"institutes", "groups",  "teachers",
                                             "subjects",   "lessons", "updates"};
constexpr std::size_t kMaxSearch = 200;
constexpr std::int64_t kMaxFound = 50, kFound = 10;

std::string SearchOf(ParameterInput& in) {
  return in.Query("search").Text(kMaxSearch).value_or("");
}

std::optional<std::string> ChoiceOf(ParameterInput& in, std::string_view name,
                                    std::span<const std::string_view> choices) {
  const auto index = in.Query(name).Choice(choices);
  if (!index) return std::nullopt;
  return std::string(choices[*index]);
}

// The row with the id in the path, as `print` shows it; 404 if there is none.
template <typename Find, typename Print>
Response OneAnswer(const Request& request, Context& context, Find find, Print print) {
  const std::int64_t id = PathId(request, "id");
  const auto found =
      context.ReadOnce<CatalogueStore>([&](CatalogueStore& catalogue) { return find(catalogue, id); });
  if (!found) throw NotFound("no_such_row");
  return TaggedAnswer(request, print(*found));
}

}  // namespace

// GET /api/schedule -- the collections and their addresses.
Response GetCollections(Request& request, Context&) {
  JsonWriter json;
  json.Object();
  for (const std::string_view name : kCollections)
    json.Add(name, OriginOf(request) + "/api/schedule/" + std::string(name) + "/");
  return TaggedAnswer(request, json.Finish());
}

// GET /api/schedule/institutes -- all of them in one page: no client asks for a second one.
Response GetInstitutes(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const std::string search = SearchOf(in), order = OrderOf(in, kNameOrders);
  if (PageOf(in) != 1) throw NotFound("invalid_page");
  in.ThrowIfAny();
  const auto institutes = context.Read<CatalogueStore>(
      [&](CatalogueStore& catalogue) { return catalogue.Institutes(search, order); });
  return TaggedAnswer(request, PrintPage(institutes, static_cast<std::int64_t>(institutes.size()),
                                         std::nullopt, std::nullopt, AddInstitute));
}

// GET /api/schedule/institutes/{id}
Response GetInstitute(Request& request, Context& context) {
  return OneAnswer(
      request, context,
      [](CatalogueStore& catalogue, std::int64_t id) { return catalogue.FindInstitute(id); },
      [](const Institute& found) { return PrintOne(found, AddInstitute); });
}

// GET /api/schedule/groups -- the groups that the site lists.
Response GetGroups(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const GroupFilter filter{.institute = in.Query("institute").Int(1, kMaxId),
                           .education_form = ChoiceOf(in, "education_form", kEducationForms),
                           .degree_type = ChoiceOf(in, "degree_type", kDegreeTypes),
                           .course_number = in.Query("course_number").Int(0, kMaxId),
                           .search = SearchOf(in)};
  const std::string order = OrderOf(in, kNameOrders);
  in.ThrowIfAny();
  const auto groups = context.Read<CatalogueStore>(
      [&](CatalogueStore& catalogue) { return catalogue.Groups(filter, order); });
  if (!groups)
    throw InputError(
        std::vector<InputProblem>{{.type = "unknown_row", .source = "query", .place = {"institute"}}});
  return TaggedAnswer(request, PrintAll(*groups, AddGroup));
}

// GET /api/schedule/groups/{id} -- even if the site no longer lists it.
Response GetGroup(Request& request, Context& context) {
  return OneAnswer(
      request, context, [](CatalogueStore& catalogue, std::int64_t id) { return catalogue.FindGroup(id); },
      PrintWholeGroup);
}

// GET /api/schedule/groups/my_group -- 404 if the account has chosen none.
Response GetMyGroup(Request& request, Context& context) {
  const auto found = context.Read<ProfileStore, CatalogueStore>(
      [&](ProfileStore& profiles, CatalogueStore& catalogue) -> std::optional<WholeGroup> {
        const auto group = profiles.Own().group;
        return group ? catalogue.FindGroup(*group) : std::nullopt;
      });
  if (!found) throw NotFound("no_group");
  return TaggedAnswer(request, PrintOne(found->group, AddGroup));
}

// GET /api/schedule/teachers
Response GetTeachers(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const std::string search = SearchOf(in), order = OrderOf(in, kFullNameOrders);
  in.ThrowIfAny();
  return TaggedAnswer(request, PrintAll(context.Read<CatalogueStore>([&](CatalogueStore& catalogue) {
                        return catalogue.Teachers(search, order);
                      }),
                                        AddTeacher));
}

// GET /api/schedule/teachers/{id}
Response GetTeacher(Request& request, Context& context) {
  return OneAnswer(
      request, context, [](CatalogueStore& catalogue, std::int64_t id) { return catalogue.FindTeacher(id); },
      [](const Teacher& found) { return PrintOne(found, AddTeacher); });
}

// GET /api/schedule/subjects -- in pages, as in the original.
Response GetSubjects(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const std::string search = SearchOf(in), order = OrderOf(in, kNameOrders);
  const std::int64_t page = PageOf(in);
  in.ThrowIfAny();
  const auto [subjects, count] = context.Read<CatalogueStore>([&](CatalogueStore& catalogue) {
    return catalogue.Subjects(search, order, kPageSize, (page - 1) * kPageSize);
  });
  if (subjects.empty() && page > 1) throw NotFound("invalid_page");
  const auto link = [&](bool has, std::int64_t number) {
    return has ? std::optional(LinkToPage(request, number)) : std::nullopt;
  };
  return TaggedAnswer(request, PrintPage(subjects, count, link(page * kPageSize < count, page + 1),
                                         link(page > 1, page - 1), AddSubject));
}

// GET /api/schedule/subjects/{id}
Response GetSubject(Request& request, Context& context) {
  return OneAnswer(
      request, context, [](CatalogueStore& catalogue, std::int64_t id) { return catalogue.FindSubject(id); },
      [](const Subject& found) { return PrintOne(found, AddSubject); });
}

// GET /api/schedule/rooms -- not in the original, which knows rooms as texts only.
Response GetRooms(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const std::string search = SearchOf(in);
  in.ThrowIfAny();
  return TaggedAnswer(request, PrintAll(context.Read<CatalogueStore>([&](CatalogueStore& catalogue) {
                        return catalogue.Rooms(search);
                      }),
                                        AddRoom));
}

// GET /api/schedule/rooms/{id}
Response GetRoom(Request& request, Context& context) {
  return OneAnswer(
      request, context, [](CatalogueStore& catalogue, std::int64_t id) { return catalogue.FindRoom(id); },
      [](const Room& found) { return PrintOne(found, AddRoom); });
}

// GET /api/schedule/search -- one search over groups, teachers, subjects and rooms. If nothing contains the
// text, similar rows are returned.
Response GetSearch(Request& request, Context& context) {
  ParameterInput in(request, EmptyValues::kAreNone);
  const std::string typed = in.Query("q").Required().Text(kMaxSearch).value_or("");
  const std::int64_t limit = in.Query("limit").Int(1, kMaxFound).value_or(kFound);
  in.ThrowIfAny();
  const FoundNames found =
      context.Read<CatalogueStore>([&](CatalogueStore& catalogue) { return catalogue.Search(typed, limit); });
  return TaggedAnswer(request, PrintFoundNames(typed, found));
}

}  // namespace syncline::schedule
