#include "handlers/base/temp_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;

[[noreturn]] void ThrowErrno(const char* what) {
  throw Busy("storage_unavailable", std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

TempFile::TempFile(const std::string& directory)
    : fd_(open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600)) {
  // The file system does not support O_TMPFILE.
  if (fd_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    std::string path = directory + "/syncline-XXXXXX";
    fd_ = mkostemp(path.data(), O_CLOEXEC);
    if (fd_ >= 0) unlink(path.c_str());
  }
  if (fd_ < 0) ThrowErrno("temporary file");
}

TempFile::~TempFile() {
  close(fd_);
}

void TempFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) ThrowErrno("temporary file");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::uint64_t TempFile::Size() const {
  struct stat info {};
  if (fstat(fd_, &info) != 0) ThrowErrno("temporary file");
  return static_cast<std::uint64_t>(info.st_size);
}

std::size_t TempFile::ReadAt(std::uint64_t offset, char* buffer, std::size_t size) const {
  for (;;) {
    const ssize_t got = pread(fd_, buffer, size, static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) ThrowErrno("temporary file");
  }
}

void TempFile::ReadAll(BodySink& sink) const {
  std::vector<char> piece(kPieceBytes);
  TempFileSource source(*this);
  while (const std::size_t got = source.Read(piece.data(), piece.size())) sink.Write({piece.data(), got});
}

}  // namespace syncline
