#pragma once
// Writes a zip (PKWARE's APPNOTE 6.3) as a stream, in constant memory except for the list of entries. Entries
// are stored, not deflated, because our contents are already compressed, or small. Sizes follow each entry
// (data descriptors); every reader that uses the directory at the end accepts that. Sizes and offsets of 4
// GiB and more, and more than 65,534 entries, are written as zip64. The same content gives the same bytes.
// For reading see zip_end.h and the rooms that read zips.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "handlers/base/response.h"

namespace syncline {

class ZipStream {
 public:
  /// The sink must outlive it.
  explicit ZipStream(BodySink& sink) : sink_(sink) {}
  /// Adds an entry: `write` writes its bytes. `name`: UTF-8, shorter than 64 KiB, and not used before.
  void Add(const std::string& name, const std::function<void(BodySink&)>& write);
  /// Writes the directory. Nothing can be added afterwards.
  void Finish();

 private:
  struct Written {
    std::string name;
    std::uint64_t offset = 0, size = 0;
    std::uint32_t crc = 0;
  };
  class EntrySink;
  void Put(std::string_view bytes);

  BodySink& sink_;
  std::uint64_t at_ = 0;
  std::vector<Written> entries_;
};

}  // namespace syncline
