#include "handlers/decks/service.h"

#include "handlers/decks/files/package_handlers.h"
#include "handlers/decks/jobs.h"
#include "handlers/decks/routes.h"
#include "handlers/decks/settings.h"

namespace syncline::decks {

const Service& ThisService() {
  static const Service kThis{.name = "decks",
                             .routes = Routes(),
                             .settings = SettingRows(),
                             .jobs = Jobs(),
                             .export_files = ExportFiles};
  return kThis;
}

}  // namespace syncline::decks
