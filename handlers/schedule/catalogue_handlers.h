#pragma once
// Reads of the catalogue: institutes, groups, teachers, subjects, rooms.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

Response GetCollections(Request& request, Context& context);
Response GetInstitutes(Request& request, Context& context);
Response GetInstitute(Request& request, Context& context);
Response GetGroups(Request& request, Context& context);
Response GetGroup(Request& request, Context& context);
Response GetMyGroup(Request& request, Context& context);
Response GetTeachers(Request& request, Context& context);
Response GetTeacher(Request& request, Context& context);
Response GetSubjects(Request& request, Context& context);
Response GetSubject(Request& request, Context& context);
Response GetRooms(Request& request, Context& context);
Response GetRoom(Request& request, Context& context);
Response GetSearch(Request& request, Context& context);

}  // namespace syncline::schedule
