#pragma once
// A private file that goes away with its owner. Whoever is killed leaves it behind for systemd-tmpfiles:
// nothing in it is needed by anybody else.
#include <cstdint>
#include <string>
#include <string_view>

#include "handlers/base/response.h"

namespace syncline {

class TempFile : public BodySink {
 public:
  /// Creates an empty file in `directory`, readable by us only. Throws Error Busy when the disk says no.
  explicit TempFile(const std::string& directory);
  ~TempFile() override;
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  const std::string& path() const { return path_; }
  /// Appends. Throws Error Busy when the disk is full.
  void Write(std::string_view bytes) override;
  std::uint64_t Size() const;
  /// From the beginning, in pieces; the file may have been written to by others meanwhile.
  void ReadAll(BodySink& sink) const;

 private:
  std::string path_;
  int fd_;
};

}  // namespace syncline
