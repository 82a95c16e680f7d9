#include "handlers/account/service.h"

#include "handlers/account/account_handlers.h"
#include "handlers/account/jobs.h"
#include "handlers/account/routes.h"
#include "handlers/account/settings.h"

namespace syncline::account {

const Service& ThisService() {
  static const Service kThis{.name = "account",
                             .routes = Routes(),
                             .settings = SettingRows(),
                             .jobs = Jobs(),
                             .export_files = ExportFiles};
  return kThis;
}

}  // namespace syncline::account
