#pragma once
// Looks into a zip while it arrives (PKWARE's APPNOTE 6.3), entry by entry, and into zips within it, one level deep. Nothing is
// extracted: of an entry only its first bytes are kept, to tell its class. Memory is bounded by the number of entries, at 8 bytes each.
//
// Every byte must belong to an entry or to the directory, and the two must agree, so that nothing is hidden from it that another
// reader would find.
#include <cstdint>
#include <memory>
#include <string_view>

#include "handlers/vault/content/class_rules.h"

namespace syncline::vault {

class ZipScan {
 public:
  static constexpr int kMaxEntries = 20'000;
  static constexpr std::int64_t kMaxUnpackedBytes = std::int64_t{4} << 30;
  static constexpr std::int64_t kMaxRatio = 200;
  static constexpr std::size_t kMaxName = 1024;

  ZipScan();
  ~ZipScan();
  ZipScan(const ZipScan&) = delete;
  ZipScan& operator=(const ZipScan&) = delete;

  void Write(std::string_view bytes);
  /// What is known so far. Before Finish `state` is kNotRead while nothing is wrong.
  const ZipReport& report() const;
  /// After the last byte.
  const ZipReport& Finish();

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace syncline::vault
