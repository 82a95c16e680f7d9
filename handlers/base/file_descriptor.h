#pragma once
// A file descriptor that is closed with its owner. Temporary files are in temp_file.h.
#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace syncline {

class FileDescriptor {
 public:
  /// open(2) with O_CLOEXEC, mode 0600. A failure leaves -1 and errno.
  FileDescriptor(const char* path, int flags) : fd_(open(path, flags | O_CLOEXEC, 0600)) {}
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.Release()) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  bool IsOpen() const { return fd_ >= 0; }
  int get() const { return fd_; }
  /// The caller closes it.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace syncline
