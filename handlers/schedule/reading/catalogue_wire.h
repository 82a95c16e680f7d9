#pragma once
// Institutes, groups, teachers, subjects and rooms as JSON, with the keys of the original; further keys are ours.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/json_writer.h"
#include "handlers/schedule/reading/catalogue_store.h"

namespace syncline::schedule {

// Each adds one object: as the root, or as the next element of an array.

void AddInstitute(JsonWriter& json, const Institute& institute);
void AddGroup(JsonWriter& json, const Group& group);
void AddTeacher(JsonWriter& json, const Teacher& teacher);
void AddSubject(JsonWriter& json, const Subject& subject);
void AddRoom(JsonWriter& json, const Room& room);

/// A group by itself: its institute is an object.
std::string PrintWholeGroup(const WholeGroup& found);

/// {"query", "is_similar", "groups": [{"id", "name"}], "teachers", "subjects", "rooms"}
std::string PrintFoundNames(std::string_view typed, const FoundNames& found);

/// [...]
template <typename T>
std::string PrintAll(const std::vector<T>& all, void (*add)(JsonWriter& json, const T& one)) {
  JsonWriter json;
  json.Array();
  for (const T& one : all) add(json, one);
  return json.Finish();
}

template <typename T>
std::string PrintOne(const T& one, void (*add)(JsonWriter& json, const T& one)) {
  JsonWriter json;
  add(json, one);
  return json.Finish();
}

/// {"count", "next", "previous", "results": [...]}; `next` and `previous` are addresses.
template <typename T>
std::string PrintPage(const std::vector<T>& page, std::int64_t count, const std::optional<std::string>& next,
                      const std::optional<std::string>& previous,
                      void (*add)(JsonWriter& json, const T& one)) {
  JsonWriter json;
  json.Object().Add("count", count).Add("next", next).Add("previous", previous).Array("results");
  for (const T& one : page) add(json, one);
  return json.Finish();
}

}  // namespace syncline::schedule
