// Any bytes as the environment of an official server, as its media.db, or as the write-ahead log of that: refused, or
// within the bounds. The first byte chooses.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "handlers/anki/file/file_wire.h"
#include "handlers/anki/moving/official_server_wire.h"
#include "handlers/base/temp_file.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

void ReadEnvironment(std::string_view lines) {
  const OfficialUsers users = ParseOfficialUsers(lines);
  std::set<std::string> names;
  for (const OfficialUser& user : users.users) {
    if (user.name.empty() || user.name.find(':') != user.name.npos || !names.insert(user.name).second)
      std::abort();
    if (user.Key().size() != 40) std::abort();
  }
}

void ReadList(const std::string& path) {
  try {
    OfficialMediaList list(path);
    MediaUsn last = 0;
    for (OfficialMedia row; list.Next(row); last = row.usn) {
      if (row.usn <= last) std::abort();
    }
  } catch (const FileRefused&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) {
    ReadEnvironment(bytes);
    return 0;
  }
  TempFile database("/tmp");
  if (data[0] % 3 == 1) {
    database.Write(bytes);
  } else {
    TempFile log("/tmp");
    log.Write(bytes);
    ApplyWriteAheadLog(log.path(), database.path());
    if (database.Size() > bytes.size()) std::abort();
  }
  ReadList(database.path());
  return 0;
}
