#include "handlers/schedule/reading/catalogue_wire.h"

#include "handlers/base/timestamp.h"
#include "handlers/schedule/reading/search_rules.h"

namespace syncline::schedule {

void AddInstitute(JsonWriter& json, const Institute& institute) {
  json.Object()
      .Add("id", institute.id)
      .Add("name", institute.name)
      .Add("sstu_id", institute.upstream_id)
      .Add("created_at", PrintTimestamp(institute.created_at))
      .Add("updated_at", PrintTimestamp(institute.updated_at))
      .End();
}

void AddGroup(JsonWriter& json, const Group& group) {
  json.Object()
      .Add("id", group.id)
      .Add("name", group.name)
      .Add("sstu_id", group.upstream_id)
      .Add("institute", group.institute)
      .Add("institute_name", group.institute_name)
      .Add("education_form", group.education_form)
      .Add("degree_type", group.degree_type)
      .Add("course_number", group.course_number)
      .End();
}

void AddTeacher(JsonWriter& json, const Teacher& teacher) {
  json.Object()
      .Add("id", teacher.id)
      .Add("full_name", teacher.full_name)
      .Add("sstu_id", teacher.upstream_id)
      .Add("sstu_profile_url", teacher.profile_url)
      .End();
}

void AddSubject(JsonWriter& json, const Subject& subject) {
  json.Object().Add("id", subject.id).Add("name", subject.name).End();
}

void AddRoom(JsonWriter& json, const Room& room) {
  json.Object()
      .Add("id", room.id)
      .Add("name", room.name)
      .Add("building", BuildingOf(room.name))
      .Add("is_online", room.is_online)
      .End();
}

std::string PrintWholeGroup(const WholeGroup& found) {
  const Group& group = found.group;
  JsonWriter json;
  json.Object().Add("id", group.id).Add("name", group.name).Add("sstu_id", group.upstream_id);
  if (found.institute) {
    json.Object("institute")
        .Add("id", found.institute->id)
        .Add("name", found.institute->name)
        .Add("sstu_id", found.institute->upstream_id)
        .Add("created_at", PrintTimestamp(found.institute->created_at))
        .Add("updated_at", PrintTimestamp(found.institute->updated_at))
        .End();
  } else {
    json.Add("institute", nullptr);
  }
  return json.Add("education_form", group.education_form)
      .Add("degree_type", group.degree_type)
      .Add("course_number", group.course_number)
      .Add("is_active", found.is_active)
      .Add("created_at", PrintTimestamp(found.created_at))
      .Add("updated_at", PrintTimestamp(found.updated_at))
      .Finish();
}

std::string PrintFoundNames(std::string_view typed, const FoundNames& found) {
  JsonWriter json;
  json.Object().Add("query", typed).Add("is_similar", found.is_similar);
  for (const std::string kind : {"group", "teacher", "subject", "room"}) {
    json.Array(kind + "s");
    for (const FoundName& name : found.names) {
      if (name.kind == kind) json.Object().Add("id", name.id).Add("name", name.name).End();
    }
    json.End();
  }
  return json.Finish();
}

}  // namespace syncline::schedule
