#include "handlers/vault/service.h"

#include "handlers/vault/jobs.h"
#include "handlers/vault/routes.h"
#include "handlers/vault/settings.h"
#include "handlers/vault/version_handlers.h"

namespace syncline::vault {

const Service& ThisService() {
  static const Service kThis{.name = "vault",
                             .routes = Routes(),
                             .settings = SettingRows(),
                             .jobs = Jobs(),
                             .export_files = ExportFiles};
  return kThis;
}

}  // namespace syncline::vault
