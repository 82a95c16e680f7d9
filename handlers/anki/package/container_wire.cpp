// Reads packages. libzip parses the zip; what it would allocate for is bounded before it is asked.
#include "handlers/anki/package/container_wire.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"
#include "handlers/base/zstd.h"
#include "package.pb.h"

namespace syncline::anki {
namespace {

// Of the directory at the end of the zip: libzip holds it in memory, with some 200 bytes for each entry.
constexpr std::uint64_t kMaxDirectoryBytes = 32 << 20;
constexpr std::uint64_t kMaxMetaBytes = 1 << 10;
// Of the list of media files: 200,000 names of 120 bytes.
constexpr std::uint64_t kMaxListBytes = 32 << 20;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr std::size_t kSha1Bytes = 20;

PackageRefused NotAPackage() {
  return {"not_a_package", "The file is not an Anki package (.apkg or .colpkg)."};
}
PackageRefused Damaged(const std::string& what) {
  return {"package_damaged", "The package is damaged: " + what + ". Please export it again."};
}
PackageRefused TooManyFiles() {
  return {"too_many_files",
          "The package has more than " + std::to_string(PackageFile::kMaxEntries) + " files."};
}

std::uint64_t Number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// Refuses a directory that is too large, by every record at the end of the file that a reader could take for the
// end of the directory.
void BoundDirectory(const std::string& path) {
  constexpr std::size_t kEndBytes = 22, kLocatorBytes = 20, kEnd64Bytes = 56, kMaxComment = 0xFFFF;
  const FileDescriptor file(path.c_str(), O_RDONLY);
  struct stat status {};
  if (!file.IsOpen() || ::fstat(file.get(), &status) != 0)
    throw Busy("storage_unavailable", "cannot open a package");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const auto read = [&](std::uint64_t at, std::uint64_t count) {
    std::string bytes(count, '\0');
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  };
  const std::uint64_t tail_at = size - std::min<std::uint64_t>(size, kMaxComment + kEndBytes + kLocatorBytes);
  const std::string tail = read(tail_at, size - tail_at);
  const auto bound = [](std::uint64_t entries, std::uint64_t bytes) {
    if (entries > PackageFile::kMaxEntries || bytes > kMaxDirectoryBytes) throw TooManyFiles();
  };
  bool has_end = false;
  for (std::size_t at = tail.find("PK\5\6"); at != std::string::npos; at = tail.find("PK\5\6", at + 1)) {
    if (tail.size() - at < kEndBytes) break;
    has_end = true;
    const std::uint64_t entries = Number(tail, at + 10, 2), bytes = Number(tail, at + 12, 4);
    const bool is_64 = entries == 0xFFFF || bytes == 0xFFFFFFFF || Number(tail, at + 16, 4) == 0xFFFFFFFF;
    if (at >= kLocatorBytes && tail.compare(at - kLocatorBytes, 4, "PK\6\7") == 0) {
      const std::uint64_t end64_at = Number(tail, at - kLocatorBytes + 8, 8);
      const std::string end64 = end64_at < size ? read(end64_at, kEnd64Bytes) : "";
      if (end64.size() < kEnd64Bytes) throw Damaged("its directory cannot be found");
      bound(Number(end64, 32, 8), Number(end64, 40, 8));
    } else if (is_64) {
      throw Damaged("its directory cannot be found");
    }
    if (!is_64) bound(entries, bytes);
  }
  if (!has_end) throw NotAPackage();
}

// Counts what is passed on.
class LimitedSink : public BodySink {
 public:
  LimitedSink(BodySink& sink, std::uint64_t limit) : sink_(sink), left_(limit) {}
  void Write(std::string_view bytes) override {
    if (bytes.size() > left_) throw TooLarge("too_large");
    left_ -= bytes.size();
    sink_.Write(bytes);
  }

 private:
  BodySink& sink_;
  std::uint64_t left_;
};

class TextSink : public BodySink {
 public:
  void Write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

}  // namespace

struct PackageFile::Impl {
  struct Discard {
    void operator()(zip_t* zip) const { zip_discard(zip); }
  };
  struct Close {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
  };

  // The bytes of an entry, inflated and checked by their CRC-32 at the end.
  class Entry : public BodySource {
   public:
    Entry(zip_t* zip, std::uint64_t index, std::string name)
        : file_(zip_fopen_index(zip, index, 0)), name_(std::move(name)) {
      if (!file_) throw Damaged("its entry \"" + name_ + "\" cannot be read");
    }
    std::size_t Read(char* buffer, std::size_t size) override {
      const zip_int64_t got = zip_fread(file_.get(), buffer, size);
      if (got < 0) throw Damaged("its entry \"" + name_ + "\" cannot be read");
      return static_cast<std::size_t>(got);
    }

   private:
    std::unique_ptr<zip_file_t, Close> file_;
    std::string name_;
  };

  bool Has(const std::string& name) const { return entries.contains(name); }

  // Expands an entry: inflated, and from its zstd frame if it has one.
  void Read(const std::string& name, bool is_zstd, std::uint64_t limit, BodySink& sink) const {
    const auto found = entries.find(name);
    if (found == entries.end()) throw Damaged("its entry \"" + name + "\" is missing");
    try {
      Entry entry(zip.get(), found->second, name);
      std::optional<ZstdReader> zstd;
      if (is_zstd) zstd.emplace(entry, limit);
      BodySource& source = zstd ? static_cast<BodySource&>(*zstd) : entry;
      LimitedSink limited(sink, limit);
      std::vector<char> piece(kPieceBytes);
      while (const std::size_t got = source.Read(piece.data(), piece.size()))
        limited.Write({piece.data(), got});
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kTooLarge) {
        throw PackageRefused("package_too_large", "The entry \"" + name +
                                                      "\" of the package is larger than this "
                                                      "server accepts.");
      }
      if (e.kind() == ErrorKind::kBadInput)
        throw Damaged("its entry \"" + name + "\" is not compressed correctly");
      throw;
    }
  }

  std::string Text(const std::string& name, bool is_zstd, std::uint64_t limit) const {
    TextSink sink;
    Read(name, is_zstd, limit, sink);
    return std::move(sink.text);
  }

  std::unique_ptr<zip_t, Discard> zip;
  std::map<std::string, std::uint64_t> entries;  // name and index
  PackageVersion version = PackageVersion::kLegacy1;
};

PackageFile::PackageFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PackageFile::PackageFile(PackageFile&&) noexcept = default;
PackageFile& PackageFile::operator=(PackageFile&&) noexcept = default;
PackageFile::~PackageFile() = default;

namespace {

// The names that a package may use; all others are ignored, as clients do.
bool IsUsed(std::string_view name) {
  if (name == "meta" || name == "media" || name.starts_with("collection.anki2")) return true;
  return !name.empty() && name.size() <= 10 && name.find_first_not_of("0123456789") == std::string_view::npos;
}

PackageVersion VersionOf(const std::string& meta) {
  package::Metadata metadata;
  if (!metadata.ParseFromString(meta)) throw Damaged("its entry \"meta\" cannot be read");
  switch (metadata.version()) {
    case 1:
      return PackageVersion::kLegacy1;
    case 2:
      return PackageVersion::kLegacy2;
    case 3:
      return PackageVersion::kLatest;
    default:
      throw PackageRefused("package_too_new",
                           "The package was made by a newer version of Anki than this server knows.");
  }
}

const char* CollectionEntry(PackageVersion version) {
  switch (version) {
    case PackageVersion::kLegacy1:
      return "collection.anki2";
    case PackageVersion::kLegacy2:
      return "collection.anki21";
    case PackageVersion::kLatest:
      break;
  }
  return "collection.anki21b";
}

// JSON {"0": "a.mp3"}. The order is that of the entries' numbers; clients take them in any order.
std::vector<PackagedFile> LegacyList(const std::string& json) {
  std::map<std::uint64_t, PackagedFile> files;
  const JsonSpans spans(json, 1);
  if (spans.Root().kind != JsonSpans::Kind::kObject) throw Damaged("its list of media files cannot be read");
  spans.EachIn(spans.Root(), [&](const JsonSpans::Value& member) {
    const std::string entry(spans.Key(member));
    const auto number = WholeNumber(entry);
    const std::string name = spans.Text(member);
    if (!number || *number < 0 || member.kind != JsonSpans::Kind::kString || !IsUsed(entry)) {
      throw Damaged("its list of media files has the wrong entry \"" + entry.substr(0, 200) + "\"");
    }
    files[static_cast<std::uint64_t>(*number)] = {name, std::to_string(*number), std::nullopt};
  });
  std::vector<PackagedFile> list;
  list.reserve(files.size());
  for (auto& [number, file] : files) list.push_back(std::move(file));
  return list;
}

std::vector<PackagedFile> LatestList(const std::string& bytes) {
  // An empty entry takes two bytes here and a hundred in memory.
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  constexpr std::uint32_t kEntryTag = 1 << 3 | 2;
  for (std::size_t count = 0; const std::uint32_t tag = input.ReadTag(); ++count) {
    std::uint32_t size = 0;
    if (tag != kEntryTag || !input.ReadVarint32(&size) || !input.Skip(static_cast<int>(size))) {
      throw Damaged("its list of media files cannot be read");
    }
    if (count == PackageFile::kMaxEntries) throw TooManyFiles();
  }
  package::MediaEntries entries;
  if (!entries.ParseFromString(bytes)) throw Damaged("its list of media files cannot be read");
  std::vector<PackagedFile> list;
  for (const auto& entry : entries.entries()) {
    if (entry.sha1().size() != kSha1Bytes || !IsUtf8(entry.name())) {
      throw Damaged("its list of media files has a wrong entry at " + std::to_string(list.size()));
    }
    list.push_back({entry.name(), std::to_string(list.size()), entry.sha1()});
  }
  return list;
}

}  // namespace

PackageFile PackageFile::Open(const std::string& path) {
  BoundDirectory(path);
  auto impl = std::make_unique<Impl>();
  int error = 0;
  impl->zip.reset(zip_open(path.c_str(), ZIP_RDONLY, &error));
  if (!impl->zip) {
    if (error == ZIP_ER_MEMORY) throw std::bad_alloc();
    throw Damaged("it is incomplete, or not a zip");
  }
  const zip_int64_t count = zip_get_num_entries(impl->zip.get(), 0);
  if (count < 0 || static_cast<std::uint64_t>(count) > kMaxEntries) throw TooManyFiles();
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* const raw = zip_get_name(impl->zip.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    if (raw == nullptr) throw Damaged("the name of an entry cannot be read");
    const std::string name(raw);
    if (!IsUsed(name)) continue;
    // Two readers could take different ones.
    if (!impl->entries.emplace(name, static_cast<std::uint64_t>(i)).second) {
      throw Damaged("it has two entries \"" + name + "\"");
    }
  }
  if (impl->Has("meta")) {
    impl->version = VersionOf(impl->Text("meta", false, kMaxMetaBytes));
  } else if (impl->Has("collection.anki21")) {
    impl->version = PackageVersion::kLegacy2;
  }
  if (!impl->Has(CollectionEntry(impl->version))) {
    if (impl->entries.empty()) throw NotAPackage();
    throw Damaged(std::string("its entry \"") + CollectionEntry(impl->version) + "\" is missing");
  }
  return PackageFile(std::move(impl));
}

PackageVersion PackageFile::version() const {
  return impl_->version;
}

void PackageFile::ReadCollection(std::uint64_t limit, BodySink& sink) const {
  impl_->Read(CollectionEntry(impl_->version), impl_->version == PackageVersion::kLatest, limit, sink);
}

std::vector<PackagedFile> PackageFile::Media() const {
  // Old versions of AnkiDroid wrote none.
  if (!impl_->Has("media")) return {};
  const bool is_latest = impl_->version == PackageVersion::kLatest;
  const std::string text = impl_->Text("media", is_latest, kMaxListBytes);
  std::vector<PackagedFile> files;
  try {
    files = is_latest ? LatestList(text) : LegacyList(text);
  } catch (const BadJson&) {
    throw Damaged("its list of media files cannot be read");
  }
  if (files.size() > kMaxEntries) throw TooManyFiles();
  std::unordered_set<std::string_view> names;
  for (const PackagedFile& file : files) {
    // Each would be expanded and compared with ours.
    if (!names.insert(file.name).second) throw Damaged("its list of media files has a name twice");
    if (!impl_->Has(file.entry)) {
      throw Damaged("its entry \"" + file.entry + "\" is missing, which its list of media files names");
    }
  }
  return files;
}

void PackageFile::ReadMedia(const PackagedFile& file, std::uint64_t limit, BodySink& sink) const {
  impl_->Read(file.entry, impl_->version == PackageVersion::kLatest, limit, sink);
}

}  // namespace syncline::anki
