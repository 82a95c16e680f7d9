#include "handlers/anki/service.h"

#include "handlers/anki/checks.h"
#include "handlers/anki/jobs.h"
#include "handlers/anki/package_handlers.h"
#include "handlers/anki/routes.h"
#include "handlers/anki/settings.h"

namespace syncline::anki {

const Service& ThisService() {
  static const Service kThis{.name = "anki",
                             .routes = Routes(),
                             .settings = SettingRows(),
                             .jobs = Jobs(),
                             .checks = Checks(),
                             .export_files = ExportFiles};
  return kThis;
}

}  // namespace syncline::anki
