#include "handlers/anime/service.h"

#include "handlers/anime/jobs.h"
#include "handlers/anime/list_transfer_handlers.h"
#include "handlers/anime/routes.h"
#include "handlers/anime/settings.h"

namespace syncline::anime {

const Service& ThisService() {
  static const Service kThis{.name = "anime",
                             .routes = Routes(),
                             .settings = SettingRows(),
                             .jobs = Jobs(),
                             .export_files = ExportFiles};
  return kThis;
}

}  // namespace syncline::anime
