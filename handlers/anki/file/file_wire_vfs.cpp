#include "handlers/anki/file/file_wire_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

namespace syncline::anki::sqlite {
namespace {

struct File {
  sqlite3_file base;
  int descriptor;
};

int DescriptorOf(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->descriptor;
}

int Close(sqlite3_file* file) {
  ::close(DescriptorOf(file));
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* buffer, int size, sqlite3_int64 offset) {
  auto* to = static_cast<char*>(buffer);
  while (size > 0) {
    const auto got = ::pread(DescriptorOf(file), to, static_cast<std::size_t>(size), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SQLITE_IOERR_READ;
    if (got == 0) {
      // SQLite requires zeros past the end.
      std::memset(to, 0, static_cast<std::size_t>(size));
      return SQLITE_IOERR_SHORT_READ;
    }
    to += got;
    offset += got;
    size -= static_cast<int>(got);
  }
  return SQLITE_OK;
}

int Write(sqlite3_file* file, const void* buffer, int size, sqlite3_int64 offset) {
  const auto* from = static_cast<const char*>(buffer);
  while (size > 0) {
    const auto written = ::pwrite(DescriptorOf(file), from, static_cast<std::size_t>(size), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    from += written;
    offset += written;
    size -= static_cast<int>(written);
  }
  return SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return ::ftruncate(DescriptorOf(file), size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  struct stat info {};
  if (::fstat(DescriptorOf(file), &info) != 0) return SQLITE_IOERR_FSTAT;
  *size = info.st_size;
  return SQLITE_OK;
}

int Sync(sqlite3_file*, int) {
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) {
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file*, int* is_reserved) {
  *is_reserved = 0;
  return SQLITE_OK;
}

int FileControl(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int SectorSize(sqlite3_file*) {
  return 4096;
}

int DeviceCharacteristics(sqlite3_file*) {
  return 0;
}

sqlite3_io_methods Methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xClose = Close;
  methods.xRead = Read;
  methods.xWrite = Write;
  methods.xTruncate = Truncate;
  methods.xSync = Sync;
  methods.xFileSize = FileSize;
  methods.xLock = Lock;
  methods.xUnlock = Lock;
  methods.xCheckReservedLock = CheckReservedLock;
  methods.xFileControl = FileControl;
  methods.xSectorSize = SectorSize;
  methods.xDeviceCharacteristics = DeviceCharacteristics;
  return methods;
}

const sqlite3_io_methods kMethods = Methods();

sqlite3_vfs* Default(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0) {
    name = nullptr;
    flags = (flags & ~SQLITE_OPEN_MAIN_JOURNAL) | SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_DELETEONCLOSE |
            SQLITE_OPEN_EXCLUSIVE;
  }
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
    return Default(vfs)->xOpen(Default(vfs), name, file, flags, out_flags);
  const bool writes = (flags & SQLITE_OPEN_READWRITE) != 0;
  const int descriptor = ::open(name, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (descriptor < 0) return SQLITE_CANTOPEN;
  new (file) File{{&kMethods}, descriptor};
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

// Not resolved: see the header.
int FullPathname(sqlite3_vfs*, const char* name, int size, char* full) {
  const std::size_t bytes = std::strlen(name) + 1;
  if (bytes > static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(full, name, bytes);
  return SQLITE_OK;
}

// There is no journal under its name, neither of this process nor of an earlier one.
int Delete(sqlite3_vfs*, const char*, int) {
  return SQLITE_OK;
}

int Access(sqlite3_vfs*, const char*, int, int* result) {
  *result = 0;
  return SQLITE_OK;
}

sqlite3_vfs Register() {
  sqlite3_vfs* const usual = sqlite3_vfs_find(nullptr);
  // The clock, random numbers and the like are those of the usual VFS.
  sqlite3_vfs vfs = *usual;
  vfs.szOsFile = std::max<int>(usual->szOsFile, sizeof(File));
  vfs.pNext = nullptr;
  vfs.zName = "syncline-private";
  vfs.pAppData = usual;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  return vfs;
}

}  // namespace

const char* PrivateVfs() {
  static sqlite3_vfs vfs = Register();
  static const int registered = sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
  if (registered != SQLITE_OK) throw std::runtime_error("sqlite does not take a VFS");
  return vfs.zName;
}

}  // namespace syncline::anki::sqlite
