#include "handlers/base/crc32.h"

#include <zlib.h>

namespace syncline {

std::uint32_t Crc32(std::string_view bytes, std::uint32_t before) {
  if (bytes.empty()) return before;  // for zlib a null pointer means a new CRC
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace syncline
