#include "handlers/schedule/import_handlers.h"

#include "handlers/base/json_writer.h"
#include "handlers/schedule/day_flow.h"
#include "handlers/schedule/import_store.h"
#include "handlers/schedule/import_wire.h"
#include "handlers/schedule/lessons/name_flow.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {
namespace {

struct Outcome {
  SavedGroup group;
  Applied applied{};
  bool is_skipped = false;  ///< no lesson could be read, but the group has some to come
};

Outcome Import(Context& context, const ImportedGroup& read, Day today) {
  return context.Write<ImportStore, GroupStore, LessonStore>([&](ImportStore& imports, GroupStore& groups,
                                                                 LessonStore& lessons) {
    const std::int64_t run = imports.Begin();
    Outcome outcome{.group = groups.Save({read.institute}, {read.group}, Listing::kOneGroup, today).at(0)};
    const std::int64_t group = outcome.group.group;
    // The script sends the same empty list for a failed page and for an empty timetable. It must never wipe a
    // group, however often it comes.
    if (read.lessons.empty()) {
      outcome.is_skipped = imports.HasFuture(group, today);
    } else {
      outcome.applied = lessons.ApplyGroup(
          {.group = group, .lessons = read.lessons, .window = WindowOfImport(read.lessons, today)},
          {.today = today,
           .online_rooms = context.config().Of<Settings>().schedule_online_rooms,
           .run = run});
    }
    imports.Add(run, group, outcome.applied, static_cast<std::int64_t>(read.rejected));
    return outcome;
  });
}

std::string PrintOutcome(const ImportedGroup& read, const Outcome& outcome) {
  JsonWriter json;
  json.Object()
      .Add("message", "Imported group schedule")
      .Add("group_id", outcome.group.group)
      .Add("group_name", outcome.group.name)
      .Add("lessons_received", read.received)
      .Add("lessons_deduped", read.lessons.size())
      .Add("lessons_created", outcome.applied.added)
      .Add("lessons_updated", outcome.applied.changed)
      .Add("lessons_removed", outcome.applied.removed)
      .Add("lessons_rejected", read.rejected)
      .Array("rejected");
  for (const RejectedLesson& lesson : read.reasons)
    json.Object().Add("index", lesson.index).Add("reason", lesson.reason).End();
  return json.End()
      .Add("skipped_empty", outcome.is_skipped)
      .Add("held", outcome.applied.kind == Applied::Kind::kHeld)
      .Add("is_new", outcome.group.is_new)
      .Add("is_rebound", outcome.group.is_rebound)
      .Finish();
}

}  // namespace

// POST /api/schedule/updates/import_group -- one group as the script has read it. 200 whenever the enclosing
// object is valid, because the script retries for hours on anything else.
Response PostImportGroup(Request& request, Context& context) {
  const ImportedGroup read = ReadImport(request.ReadBody(kMaxImport));
  const Day today = TodayOf(context);
  const Outcome outcome = Import(context, read, today);
  TakeNames(context, today);
  return Response::Json(200, PrintOutcome(read, outcome));
}

}  // namespace syncline::schedule
