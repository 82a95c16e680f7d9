// Any bytes as a package: refused, or readable, within the limits of the caller. What has been read names only entries
// that exist.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "handlers/anki/package/container_wire.h"
#include "handlers/anki/package/media_name_rules.h"

using namespace syncline;
using namespace syncline::anki;

namespace {

constexpr std::uint64_t kLimit = 1 << 20;

class Counter : public BodySink {
 public:
  void Write(std::string_view bytes) override {
    bytes_ += bytes.size();
    if (bytes_ > kLimit) std::abort();
  }

 private:
  std::uint64_t bytes_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TempFile file("/dev/shm");
  file.Write({reinterpret_cast<const char*>(data), size});
  const std::string path = file.path();
  try {
    const PackageFile package = PackageFile::Open(path);
    try {
      Counter collection;
      package.ReadCollection(kLimit, collection);
    } catch (const PackageRefused&) {
    }
    for (const PackagedFile& media : package.Media()) {
      if (!IsPlainFileName(media.name)) continue;
      const std::string name = NormalMediaName(media.name);
      if (NormalMediaName(name) != name || name.size() > 121) std::abort();
      try {
        Counter content;
        package.ReadMedia(media, kLimit, content);
      } catch (const PackageRefused&) {
      }
    }
  } catch (const PackageRefused&) {
  }
  return 0;
}
