#include "handlers/base/zip_stream.h"

#include <algorithm>
#include <limits>

#include "handlers/base/crc32.h"

namespace syncline {
namespace {

// Sizes follow the data; names are UTF-8.
constexpr std::uint64_t kFlags = 1 << 3 | 1 << 11;
constexpr std::uint64_t kVersion = 45;  // with zip64
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMax16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kDate = 0x21;  // 1980-01-01: the same content gives the same bytes

void Append(std::string& bytes, std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
}

}  // namespace

// The bytes of one entry, on their way to the sink.
class ZipStream::EntrySink : public BodySink {
 public:
  EntrySink(ZipStream& zip, Written& entry) : zip_(zip), entry_(entry) {}
  void Write(std::string_view bytes) override {
    entry_.crc = Crc32(bytes, entry_.crc);
    entry_.size += bytes.size();
    zip_.Put(bytes);
  }

 private:
  ZipStream& zip_;
  Written& entry_;
};

void ZipStream::Put(std::string_view bytes) {
  at_ += bytes.size();
  sink_.Write(bytes);
}

void ZipStream::Add(const std::string& name, const std::function<void(BodySink&)>& write) {
  Written& entry = entries_.emplace_back();
  entry.name = name;
  entry.offset = at_;
  std::string header = "PK\3\4";
  Append(header, kVersion, 2);
  Append(header, kFlags, 2);
  Append(header, 0, 2);  // stored
  Append(header, 0, 2);
  Append(header, kDate, 2);
  Append(header, 0, 4);  // CRC and sizes follow
  // The sizes of the descriptor have 8 bytes if the header has a zip64 field; its own sizes are then 2^32 - 1.
  Append(header, kMax32, 4);
  Append(header, kMax32, 4);
  Append(header, name.size(), 2);
  Append(header, 20, 2);
  header += name;
  Append(header, 1, 2);  // zip64
  Append(header, 16, 2);
  Append(header, 0, 8);
  Append(header, 0, 8);
  Put(header);
  EntrySink data(*this, entry);
  write(data);
  std::string descriptor = "PK\7\10";
  Append(descriptor, entry.crc, 4);
  Append(descriptor, entry.size, 8);
  Append(descriptor, entry.size, 8);
  Put(descriptor);
}

void ZipStream::Finish() {
  const std::uint64_t begin = at_;
  for (const Written& entry : entries_) {
    std::string header = "PK\1\2";
    Append(header, kVersion | 3 << 8, 2);  // made on Unix
    Append(header, kVersion, 2);
    Append(header, kFlags, 2);
    Append(header, 0, 2);
    Append(header, 0, 2);
    Append(header, kDate, 2);
    Append(header, entry.crc, 4);
    const bool is_large = entry.size >= kMax32 || entry.offset >= kMax32;
    Append(header, is_large ? kMax32 : entry.size, 4);
    Append(header, is_large ? kMax32 : entry.size, 4);
    Append(header, entry.name.size(), 2);
    Append(header, is_large ? 28 : 0, 2);
    Append(header, 0, 2);                             // comment
    Append(header, 0, 2);                             // disk
    Append(header, 0, 2);                             // internal attributes
    Append(header, std::uint64_t{0100644} << 16, 4);  // a regular file
    Append(header, is_large ? kMax32 : entry.offset, 4);
    header += entry.name;
    if (is_large) {
      Append(header, 1, 2);
      Append(header, 24, 2);
      Append(header, entry.size, 8);
      Append(header, entry.size, 8);
      Append(header, entry.offset, 8);
    }
    Put(header);
  }
  const std::uint64_t bytes = at_ - begin, count = entries_.size();
  std::string end;
  if (count >= kMax16 || begin >= kMax32 || bytes >= kMax32) {
    end += "PK\6\6";
    Append(end, 44, 8);
    Append(end, kVersion | 3 << 8, 2);
    Append(end, kVersion, 2);
    Append(end, 0, 4);
    Append(end, 0, 4);
    Append(end, count, 8);
    Append(end, count, 8);
    Append(end, bytes, 8);
    Append(end, begin, 8);
    end += "PK\6\7";
    Append(end, 0, 4);
    Append(end, at_, 8);
    Append(end, 1, 4);
  }
  end += "PK\5\6";
  Append(end, 0, 4);
  Append(end, std::min(count, kMax16), 2);
  Append(end, std::min(count, kMax16), 2);
  Append(end, std::min(bytes, kMax32), 4);
  Append(end, std::min(begin, kMax32), 4);
  Append(end, 0, 2);
  Put(end);
}

}  // namespace syncline
