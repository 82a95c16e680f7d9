#include "handlers/account/service.h"

#include "handlers/account/jobs.h"

namespace syncline::account {

const Service& ThisService() {
  static const Service kThis{.name = "account", .jobs = Jobs()};
  return kThis;
}

}  // namespace syncline::account
