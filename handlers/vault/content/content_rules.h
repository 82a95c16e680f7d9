#pragma once
// Tells the class of content while it arrives, in constant memory (but see ZipScan). The caller passes each piece here before it keeps
// it, so that what must not be kept is refused before it is.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "handlers/vault/content/class_rules.h"
#include "handlers/vault/content/fernet_rules.h"
#include "handlers/vault/content/zip_rules.h"

namespace syncline::vault {

class ContentScan {
 public:
  /// `looks_into_zips`: otherwise the entries of a zip are not read.
  explicit ContentScan(bool looks_into_zips) : looks_into_zips_(looks_into_zips) {}

  void Write(std::string_view bytes);
  /// What is known so far. The class is final for kSqlitePlain, kSqliteSidecar and kZip; kOther may still become kCordiaxFernet while
  /// MayBeFernet.
  const ContentReport& report() const { return report_; }
  /// Whether all 16 bytes that tell most classes have come.
  bool HasBeginning() const;
  bool MayBeFernet() const { return fernet_.IsPossible(); }
  /// After the last byte.
  const ContentReport& Finish(std::chrono::system_clock::time_point now);

 private:
  void CheckSqlite();

  const bool looks_into_zips_;
  std::string beginning_{};  // the header of SQLite
  FernetScan fernet_{};
  std::unique_ptr<ZipScan> zip_{};
  ContentReport report_{};
};

}  // namespace syncline::vault
