#pragma once
// A private file without a name: the system deletes it when its last descriptor is closed, even if the
// process is killed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "handlers/base/request.h"
#include "handlers/base/response.h"

namespace syncline {

class TempFile : public BodySink {
 public:
  /// Creates an empty file in `directory`, readable by us only. Throws Error Busy on failure.
  explicit TempFile(const std::string& directory);
  ~TempFile() override;
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;

  /// A path that opens the file within this process, such as /proc/self/fd/7.
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }
  /// Appends. Throws Error Busy if the disk is full.
  void Write(std::string_view bytes) override;
  std::uint64_t Size() const;
  /// Up to `size` bytes from `offset`; 0 at the end. The file may also have been written through its path.
  std::size_t ReadAt(std::uint64_t offset, char* buffer, std::size_t size) const;
  /// Writes the whole file to `sink`, in pieces.
  void ReadAll(BodySink& sink) const;

 private:
  int fd_;
};

/// A file as the source of a stream.
class TempFileSource : public BodySource {
 public:
  explicit TempFileSource(const TempFile& file) : file_(file) {}
  std::size_t Read(char* buffer, std::size_t size) override {
    const std::size_t got = file_.ReadAt(at_, buffer, size);
    at_ += got;
    return got;
  }

 private:
  const TempFile& file_;
  std::uint64_t at_ = 0;
};

}  // namespace syncline
