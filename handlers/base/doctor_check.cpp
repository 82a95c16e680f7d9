#include "handlers/base/doctor_check.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include "handlers/base/display.h"

namespace syncline {

Finding DiskFinding(const std::string& folder, std::int64_t wanted, const std::string& purpose) {
  struct statvfs found {};
  if (statvfs(folder.c_str(), &found) != 0) {
    return Finding::Problem(folder + " (" + purpose + "): " + std::strerror(errno),
                            "create the folder or correct the setting");
  }
  const auto free = static_cast<std::int64_t>(found.f_bavail) * static_cast<std::int64_t>(found.f_frsize);
  const std::string text = SizeText(free) + " free in " + folder + " (" + purpose + ")";
  if (free >= wanted) return Finding::Ok(text);
  return Finding::Problem("only " + text, "have at least " + SizeText(wanted) + " free there");
}

}  // namespace syncline
