#include "handlers/schedule/service.h"

#include "handlers/schedule/feed_handlers.h"
#include "handlers/schedule/jobs.h"
#include "handlers/schedule/routes.h"
#include "handlers/schedule/settings.h"

namespace syncline::schedule {

const Service& ThisService() {
  static const Service kThis{.name = "schedule",
                             .routes = Routes(),
                             .settings = SettingRows(),
                             .jobs = Jobs(),
                             .export_files = ExportFiles};
  return kThis;
}

}  // namespace syncline::schedule
