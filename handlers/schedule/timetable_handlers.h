#pragma once
// Reads of lessons: lists, weeks, changes, free rooms, freshness.
#include "handlers/base/context.h"
#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline::schedule {

Response GetLessons(Request& request, Context& context);
Response GetLesson(Request& request, Context& context);
Response GetMySchedule(Request& request, Context& context);
Response GetWeekly(Request& request, Context& context);
Response GetChanges(Request& request, Context& context);
Response GetFreeRooms(Request& request, Context& context);
Response GetFreshness(Request& request, Context& context);
Response GetWeek(Request& request, Context& context);

}  // namespace syncline::schedule
