// Reads packages. libzip parses the zip; everything that it would allocate memory for is checked first.
#include "handlers/anki/package/container_wire.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "handlers/base/errors.h"
#include "handlers/base/file_descriptor.h"
#include "handlers/base/json.h"
#include "handlers/base/utf8.h"
#include "handlers/base/zip_end.h"
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
// What a zstd frame has more than its content, at most: headers of blocks. One of empty blocks has no end.
constexpr std::uint64_t kFrameBytes = 1 << 10, kFramePart = 128;

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

// Refuses a directory that is too large, by every record at the end of the file that a reader could take for the
// end of the directory. Returns the size of the file.
std::uint64_t BoundDirectory(const std::string& path) {
  constexpr std::size_t kEnd64Bytes = 56;
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
  const std::uint64_t tail_at = size - std::min<std::uint64_t>(size, kZipTailBytes);
  const std::string tail = read(tail_at, size - tail_at);
  const auto bound = [](std::uint64_t entries, std::uint64_t bytes) {
    if (entries > PackageFile::kMaxEntries || bytes > kMaxDirectoryBytes) throw TooManyFiles();
  };
  const std::vector<ZipEnd> ends = FindZipEnds(tail, tail_at);
  if (ends.empty()) throw NotAPackage();
  int plausible = 0;
  for (const ZipEnd& end : ends) {
    const bool is_64 =
        end.entries == 0xFFFF || end.directory_bytes == 0xFFFFFFFF || end.directory_at == 0xFFFFFFFF;
    if (end.zip64_at) {
      const std::string end64 = *end.zip64_at < size ? read(*end.zip64_at, kEnd64Bytes) : "";
      if (end64.size() < kEnd64Bytes) throw Damaged("its directory cannot be found");
      bound(LittleEndian(end64, 32, 8), LittleEndian(end64, 40, 8));
    } else if (is_64) {
      throw Damaged("its directory cannot be found");
    }
    if (!is_64) bound(end.entries, end.directory_bytes);
    if (end.is_plausible && ++plausible > kMaxZipEnds) throw Damaged("it has too many directories");
  }
  return size;
}

// An entry, or all media files together, expands to more than its limit.
struct ExpandsTooFar {
  bool is_entry;
};

// Counts what is passed on.
class LimitedSink : public BodySink {
 public:
  LimitedSink(BodySink& sink, std::uint64_t limit) : sink_(sink), left_(limit) {}
  void Write(std::string_view bytes) override {
    if (bytes.size() > left_) throw ExpandsTooFar{true};
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

  // The bytes of an entry, inflated and checked by their CRC-32 at the end. `all_left`: of all reads together.
  class Entry : public BodySource {
   public:
    Entry(zip_t* zip, std::uint64_t index, std::string name, std::uint64_t limit, std::uint64_t& all_left)
        : name_(std::move(name)), left_(limit), all_left_(all_left) {
      zip_stat_t stat;
      zip_stat_init(&stat);
      if (zip_stat_index(zip, index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_COMP_METHOD) == 0 ||
          (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)) {
        throw Unreadable();
      }
      // Entries may overlap, and what inflates to nothing takes time, too.
      Spend(all_left, stat.comp_size);
      file_.reset(zip_fopen_index(zip, index, 0));
      if (!file_) throw Unreadable();
    }
    std::size_t Read(char* buffer, std::size_t size) override {
      const zip_int64_t read = zip_fread(file_.get(), buffer, size);
      if (read < 0) throw Unreadable();
      const auto got = static_cast<std::size_t>(read);
      if (got > left_) throw ExpandsTooFar{true};
      left_ -= got;
      Spend(all_left_, got);
      return got;
    }

   private:
    PackageRefused Unreadable() const { return Damaged("its entry \"" + name_ + "\" cannot be read"); }

    std::unique_ptr<zip_file_t, Close> file_;
    std::string name_;
    std::uint64_t left_;
    std::uint64_t& all_left_;
  };

  static void Spend(std::uint64_t& left, std::uint64_t bytes) {
    if (bytes > left) throw ExpandsTooFar{false};
    left -= bytes;
  }

  bool Has(const std::string& name) const { return entries.contains(name); }

  // Expands an entry: inflated, and from its zstd frame if it has one. Throws ExpandsTooFar.
  void Expand(const std::string& name, bool is_zstd, std::uint64_t limit, std::uint64_t& all_left,
              BodySink& sink) const {
    const auto found = entries.find(name);
    if (found == entries.end()) throw Damaged("its entry \"" + name + "\" is missing");
    try {
      Entry entry(zip.get(), found->second, name, is_zstd ? limit + limit / kFramePart + kFrameBytes : limit,
                  all_left);
      std::optional<ZstdReader> zstd;
      if (is_zstd) zstd.emplace(entry, limit);
      BodySource& source = zstd ? static_cast<BodySource&>(*zstd) : entry;
      LimitedSink limited(sink, limit);
      std::vector<char> piece(kPieceBytes);
      while (const std::size_t got = source.Read(piece.data(), piece.size())) {
        if (is_zstd) Spend(all_left, got);
        limited.Write({piece.data(), got});
      }
    } catch (const Error& e) {
      if (e.kind() == ErrorKind::kTooLarge) throw ExpandsTooFar{true};
      if (e.kind() == ErrorKind::kBadInput)
        throw Damaged("its entry \"" + name + "\" is not compressed correctly");
      throw;
    }
  }

  void Read(const std::string& name, bool is_zstd, std::uint64_t limit, BodySink& sink) const {
    std::uint64_t all_left = std::numeric_limits<std::uint64_t>::max();
    try {
      Expand(name, is_zstd, limit, all_left, sink);
    } catch (const ExpandsTooFar&) {
      throw PackageRefused("package_too_large",
                           "The entry \"" + name + "\" of the package is larger than this server accepts.");
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
  std::uint64_t media_left = 0;  // bytes to which further reads of media files may expand
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
  auto impl = std::make_unique<Impl>();
  impl->media_left = kFreeBytes + kMostExpansion * BoundDirectory(path);
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
    // It would be ambiguous which one counts.
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
  std::vector<std::string_view> names;
  for (const PackagedFile& file : files) {
    names.push_back(file.name);
    if (!impl_->Has(file.entry)) {
      throw Damaged("its entry \"" + file.entry + "\" is missing, which its list of media files names");
    }
  }
  std::sort(names.begin(), names.end());
  // Each would be expanded and compared with ours.
  if (std::adjacent_find(names.begin(), names.end()) != names.end())
    throw Damaged("its list of media files has a name twice");
  return files;
}

bool PackageFile::ReadMedia(const PackagedFile& file, std::uint64_t limit, BodySink& sink) const {
  try {
    impl_->Expand(file.entry, impl_->version == PackageVersion::kLatest, limit, impl_->media_left, sink);
    return true;
  } catch (const ExpandsTooFar& refused) {
    if (refused.is_entry) return false;
    throw PackageRefused(
        "package_too_large",
        "The media files of the package expand to more than this server accepts for a package "
        "of its size.");
  }
}

}  // namespace syncline::anki
