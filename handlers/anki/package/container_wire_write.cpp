// Writes packages: zips whose entries are compressed by zstd, or media as they are.
#include <cstdint>

#include "handlers/anki/package/container_wire.h"
#include "handlers/base/json_writer.h"
#include "handlers/base/zip_stream.h"
#include "handlers/base/zstd.h"
#include "package.pb.h"

namespace syncline::anki {
namespace {

// As fast as the disk, and about as small as what clients write.
constexpr int kCompression = 3;

}  // namespace

struct PackageWriter::Impl {
  Impl(BodySink& sink, PackageVersion of) : zip(sink), version(of) {}

  bool IsLatest() const { return version == PackageVersion::kLatest; }

  void Compressed(const std::string& name, const std::function<void(BodySink&)>& write) {
    zip.Add(name, [&](BodySink& out) {
      ZstdWriter zstd(out, kCompression);
      write(zstd);
      zstd.Finish();
    });
  }

  ZipStream zip;
  PackageVersion version;
  package::MediaEntries latest_list;
  std::vector<std::string> legacy_list;
};

PackageWriter::PackageWriter(BodySink& sink, PackageVersion version)
    : impl_(std::make_unique<Impl>(sink, version)) {
  package::Metadata metadata;
  metadata.set_version(static_cast<int>(version));
  impl_->zip.Add("meta", [&](BodySink& out) { out.Write(metadata.SerializeAsString()); });
}

PackageWriter::~PackageWriter() = default;

void PackageWriter::Collection(const std::function<void(BodySink&)>& write) {
  if (impl_->IsLatest()) {
    impl_->Compressed("collection.anki21b", write);
  } else {
    impl_->zip.Add("collection.anki21", write);
  }
}

void PackageWriter::CompressedCollection(const std::function<void(BodySink&)>& write) {
  impl_->zip.Add("collection.anki21b", write);
}

void PackageWriter::Stub(const TempFile& file) {
  impl_->zip.Add("collection.anki2", [&](BodySink& out) { file.ReadAll(out); });
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
    impl_->zip.Add(std::to_string(impl_->legacy_list.size()), write);
    impl_->legacy_list.emplace_back(name);
  }
}

void PackageWriter::Finish() {
  if (impl_->IsLatest()) {
    impl_->Compressed("media", [&](BodySink& out) { out.Write(impl_->latest_list.SerializeAsString()); });
  } else {
    impl_->zip.Add("media", [&](BodySink& out) {
      JsonWriter json(out);
      json.Object();
      for (std::size_t i = 0; i < impl_->legacy_list.size(); ++i)
        json.Add(std::to_string(i), impl_->legacy_list[i]);
      json.Finish();
    });
  }
  impl_->zip.Finish();
}

}  // namespace syncline::anki
