#include "handlers/base/zip_end.h"

namespace syncline {
namespace {

constexpr std::size_t kEndBytes = 22, kLocatorBytes = 20;
constexpr std::string_view kEndSignature("PK\5\6", 4), kLocatorSignature("PK\6\7", 4);

}  // namespace

std::uint64_t LittleEndian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

std::vector<ZipEnd> FindZipEnds(std::string_view tail, std::uint64_t start) {
  std::vector<ZipEnd> ends;
  for (std::size_t at = tail.find(kEndSignature); at != tail.npos; at = tail.find(kEndSignature, at + 1)) {
    if (tail.size() - at < kEndBytes) break;
    ZipEnd end{LittleEndian(tail, at + 10, 2), LittleEndian(tail, at + 12, 4), LittleEndian(tail, at + 16, 4),
               std::nullopt, false};
    if (at >= kLocatorBytes && tail.substr(at - kLocatorBytes).starts_with(kLocatorSignature))
      end.zip64_at = LittleEndian(tail, at - kLocatorBytes + 8, 8);
    const bool is_one_disk =
        LittleEndian(tail, at + 4, 4) == 0 && LittleEndian(tail, at + 8, 2) == end.entries;
    end.is_plausible = end.zip64_at || (is_one_disk && end.directory_bytes + end.directory_at <= start + at);
    ends.push_back(end);
  }
  return ends;
}

}  // namespace syncline
