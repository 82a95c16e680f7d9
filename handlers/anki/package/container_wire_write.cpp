// Writes packages: a zip whose entries are stored, not deflated, because their content is compressed already or is
// media. Sizes and offsets of 4 GiB and more, and more than 65,534 entries, are written as zip64.
#include <array>
#include <boost/crc.hpp>
#include <cstdint>
#include <limits>
#include <utility>

#include "handlers/anki/package/container_wire.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/zstd.h"
#include "package.pb.h"

namespace syncline::anki {
namespace {

// As fast as the disk, and about as small as what clients write.
constexpr int kCompression = 3;
// Of the zip format: sizes follow the data; names are UTF-8.
constexpr std::uint64_t kFlags = 1 << 3 | 1 << 11;
constexpr std::uint64_t kVersion = 45;  // with zip64
constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMax16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kDate = 0x21;  // 1980-01-01: the same content gives the same bytes

void Append(std::string& bytes, std::uint64_t number, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(number >> (8 * i));
}

struct Written {
  std::string name;
  std::uint64_t offset = 0, size = 0;
  std::uint32_t crc = 0;
};

}  // namespace

struct PackageWriter::Impl {
  // The bytes of one entry, on their way to the sink.
  class EntrySink : public BodySink {
   public:
    EntrySink(Impl& zip, Written& entry) : zip_(zip), entry_(entry) {}
    void Write(std::string_view bytes) override {
      crc_.process_bytes(bytes.data(), bytes.size());
      entry_.size += bytes.size();
      zip_.Put(bytes);
    }
    std::uint32_t Crc() const { return crc_.checksum(); }

   private:
    Impl& zip_;
    Written& entry_;
    boost::crc_32_type crc_;
  };

  Impl(BodySink& to, PackageVersion of) : sink(to), version(of) {}

  bool IsLatest() const { return version == PackageVersion::kLatest; }

  void Put(std::string_view bytes) {
    at += bytes.size();
    sink.Write(bytes);
  }

  void Entry(const std::string& name, const std::function<void(BodySink&)>& write) {
    Written& entry = entries.emplace_back();
    entry.name = name;
    entry.offset = at;
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
    entry.crc = data.Crc();
    std::string descriptor = "PK\7\10";
    Append(descriptor, entry.crc, 4);
    Append(descriptor, entry.size, 8);
    Append(descriptor, entry.size, 8);
    Put(descriptor);
  }

  void Compressed(const std::string& name, const std::function<void(BodySink&)>& write) {
    Entry(name, [&](BodySink& out) {
      ZstdWriter zstd(out, kCompression);
      write(zstd);
      zstd.Finish();
    });
  }

  void Directory() {
    const std::uint64_t begin = at;
    for (const Written& entry : entries) {
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
    const std::uint64_t bytes = at - begin, count = entries.size();
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
      Append(end, at, 8);
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

  BodySink& sink;
  PackageVersion version;
  std::uint64_t at = 0;
  std::vector<Written> entries;
  package::MediaEntries latest_list;
  std::vector<std::string> legacy_list;
};

PackageWriter::PackageWriter(BodySink& sink, PackageVersion version)
    : impl_(std::make_unique<Impl>(sink, version)) {
  package::Metadata metadata;
  metadata.set_version(static_cast<int>(version));
  impl_->Entry("meta", [&](BodySink& out) { out.Write(metadata.SerializeAsString()); });
}

PackageWriter::~PackageWriter() = default;

void PackageWriter::Collection(const std::function<void(BodySink&)>& write) {
  if (impl_->IsLatest()) {
    impl_->Compressed("collection.anki21b", write);
  } else {
    impl_->Entry("collection.anki21", write);
  }
}

void PackageWriter::CompressedCollection(const std::function<void(BodySink&)>& write) {
  impl_->Entry("collection.anki21b", write);
}

void PackageWriter::Stub(const TempFile& file) {
  impl_->Entry("collection.anki2", [&](BodySink& out) { file.ReadAll(out); });
}

void PackageWriter::Media(std::string_view name, std::string_view sha1, std::uint64_t size_bytes,
                          const std::function<void(BodySink&)>& write) {
  if (impl_->IsLatest()) {
    auto* const entry = impl_->latest_list.add_entries();
    impl_->Compressed(std::to_string(impl_->latest_list.entries_size() - 1), write);
    entry->set_name(std::string(name));
    entry->set_size(static_cast<std::uint32_t>(size_bytes));
    entry->set_sha1(std::string(sha1));
  } else {
    impl_->Entry(std::to_string(impl_->legacy_list.size()), write);
    impl_->legacy_list.emplace_back(name);
  }
}

void PackageWriter::Finish() {
  if (impl_->IsLatest()) {
    impl_->Compressed("media", [&](BodySink& out) { out.Write(impl_->latest_list.SerializeAsString()); });
  } else {
    impl_->Entry("media", [&](BodySink& out) {
      JsonWriter json(out);
      json.Object();
      for (std::size_t i = 0; i < impl_->legacy_list.size(); ++i)
        json.Add(std::to_string(i), impl_->legacy_list[i]);
      json.Finish();
    });
  }
  impl_->Directory();
}

}  // namespace syncline::anki
