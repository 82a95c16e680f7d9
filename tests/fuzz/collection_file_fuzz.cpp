// Any bytes as an upload: refused, or readable completely.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

#include "handlers/anki/file/file_wire.h"

using namespace syncline;
using namespace syncline::anki;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // SQLite resolves links, so an unlinked file does not work.
  static std::string path = "/dev/shm/collection_file_fuzz.XXXXXX";
  static const int file = [] {
    const int made = ::mkstemp(path.data());
    if (made < 0) std::abort();
    std::atexit([] { ::unlink(path.c_str()); });
    return made;
  }();
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  constexpr auto kStart = std::numeric_limits<std::int64_t>::min();
  try {
    const auto collection = CollectionFile::Open(path, CollectionFile::Check::kFull);
    // From here on nothing may be refused: the full check guarantees it.
    try {
      const auto objects = collection.ReadSmallObjects();
      std::int64_t rows = 0;
      collection.EachNote(kStart, -1, [&](const Note&) { ++rows; });
      collection.EachCard(kStart, -1, [&](const Card&) { ++rows; });
      collection.EachReview(kStart, -1, [&](const Review&) { ++rows; });
      const auto counts = collection.Counts();
      if (rows != counts.notes + counts.cards + counts.revlog) std::abort();
      collection.ReadGraves();
      collection.Meta();
      collection.MaxUsn();
    } catch (const FileRefused&) {
      std::abort();
    }
  } catch (const FileRefused&) {
  }
  return 0;
}
