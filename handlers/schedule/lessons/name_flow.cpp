#include "handlers/schedule/lessons/name_flow.h"

#include "handlers/base/errors.h"
#include "handlers/base/log.h"
#include "handlers/schedule/lessons/lesson_store.h"

namespace syncline::schedule {

void TakeNames(Context& context, Day today) {
  try {
    context.Write<LessonStore>([&](LessonStore& lessons) { lessons.TakeNames(today); });
  } catch (const Error& error) {
    LogLine(LogLevel::kWarn)
        .Add("svc", "schedule")
        .Add("event", "names_not_taken")
        .Add("err", error.what())
        .Write();
  }
}

}  // namespace syncline::schedule
