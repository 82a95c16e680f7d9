#include "handlers/jobs/service.h"

#include "handlers/jobs/checks.h"
#include "handlers/jobs/housekeeping.h"
#include "handlers/jobs/routes.h"

namespace syncline::jobs {

const Service& ThisService() {
  static const Service kThis{
      .name = "jobs", .routes = Routes(), .jobs = HousekeepingJobs(), .checks = Checks()};
  return kThis;
}

}  // namespace syncline::jobs
