#include "handlers/jobs/service.h"

#include "handlers/jobs/checks.h"
#include "handlers/jobs/housekeeping.h"

namespace syncline::jobs {

const Service& ThisService() {
  static const Service kThis{.name = "jobs", .jobs = HousekeepingJobs(), .checks = Checks()};
  return kThis;
}

}  // namespace syncline::jobs
