#include "handlers/services.h"

#include <set>
#include <stdexcept>
#include <string>

#include "handlers/account/service.h"
#include "handlers/anime/service.h"
#include "handlers/anki/service.h"
#include "handlers/decks/service.h"
#include "handlers/jobs/service.h"
#include "handlers/schedule/service.h"
#include "handlers/vault/service.h"

namespace syncline {

std::span<const Service* const> Services() {
  static const Service* const kServices[] = {
      &jobs::ThisService(),  &account::ThisService(),  &anime::ThisService(), &anki::ThisService(),
      &decks::ThisService(), &schedule::ThisService(), &vault::ThisService()};
  return kServices;
}

std::vector<SettingGroup> AllSettings() {
  std::vector<SettingGroup> all;
  for (const Service* service : Services()) all.push_back({service->name, service->settings});
  return all;
}

std::vector<JobKind> AllJobs() {
  std::vector<JobKind> all;
  std::set<std::string> names;
  for (const Service* service : Services()) {
    for (const JobKind& kind : service->jobs) {
      if (!names.insert(kind.name).second)
        throw std::logic_error(std::string("two job kinds named ") + kind.name);
      all.push_back(kind);
    }
  }
  return all;
}

}  // namespace syncline
