#pragma once
// A service, as the programs see it: a name and its tables. Each service defines one in its service.cpp;
// handlers/services.cpp lists them. README.md, "A service", names every place that a new one touches.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "handlers/base/doctor_check.h"
#include "handlers/base/job.h"
#include "handlers/base/route.h"
#include "handlers/base/setting.h"

namespace syncline {

/// A file in the export of everything that an account holds.
struct ExportedFile {
  std::string name;  ///< its path, "anki/collection.colpkg"; begins with the service's name
  std::function<void(BodySink&)> write;
};

struct Service {
  const char* name;  ///< of its folder, of its statements, and of its operations up to the dot
  std::span<const Route> routes{};
  std::span<const Setting> settings{};
  std::span<const JobKind> jobs{};
  std::span<const DoctorCheck> checks{};
  /// The caller's data in this service. Null: none.
  std::vector<ExportedFile> (*export_files)(Context& context) = nullptr;
};

/// All of them, in the order in which the doctor checks them. Defined in services.cpp; declared here for the
/// service that iterates over the others.
std::span<const Service* const> Services();

}  // namespace syncline
