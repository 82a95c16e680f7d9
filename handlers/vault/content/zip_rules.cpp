#include "handlers/vault/content/zip_rules.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "handlers/base/zip_end.h"
#include "handlers/vault/content/fernet_rules.h"

namespace syncline::vault {
namespace {

constexpr std::string_view kDatabase = "cordiax.db";
constexpr std::size_t kBeginning = 16;
// Small archives of zeros have any ratio.
constexpr std::int64_t kRatioFrom = 1 << 20;
constexpr std::uint64_t kEntry = 0x04034b50, kDirectory = 0x02014b50, kEnd = 0x06054b50,
                        kDescriptor = 0x08074b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint64_t kSizeElsewhere = 0xffffffff;
constexpr unsigned kIsEncrypted = 1, kHasDescriptor = 8;
constexpr unsigned kStored = 0, kDeflated = 8;
constexpr unsigned kZip64Extra = 1;

bool IsBadName(std::string_view name) {
  if (name.empty() || name.size() > ZipScan::kMaxName || name.front() == '/') return true;
  if (name.find('\\') != std::string_view::npos || name.find('\0') != std::string_view::npos) return true;
  if (name.size() > 1 && name[1] == ':') return true;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

// A state machine over the bytes: a record of a fixed size, its variable part, the content of an entry, and so on. What it needs to
// see at once is collected in `need_`, which is never longer than a name and its extra fields.
class ZipScan::Reader {
 public:
  explicit Reader(int depth) : depth_(depth) {}
  ~Reader() {
    if (is_inflating_) inflateEnd(&stream_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void Write(std::string_view bytes) {
    while (!bytes.empty() && report_.state == ZipState::kNotRead) bytes.remove_prefix(Take(bytes));
  }

  const ZipReport& Finish() {
    if (report_.state == ZipState::kNotRead)
      report_.state = part_ == Part::kDone ? ZipState::kComplete : ZipState::kBroken;
    return report_;
  }
  const ZipReport& report() const { return report_; }

 private:
  enum class Part {
    kSignature,
    kHead,
    kName,
    kContent,
    kDescriptor,
    kRecord,
    kRecordName,
    kEnd64,
    kLocator64,
    kEndRecord,
    kComment,
    kDone
  };

  // How many of them were used: at least one, or the state is another one.
  std::size_t Take(std::string_view bytes) {
    switch (part_) {
      case Part::kContent:
        return TakeContent(bytes);
      case Part::kComment:
        return TakeComment(bytes);
      case Part::kDone:
        report_.state = ZipState::kBroken;
        return bytes.size();
      default:
        break;
    }
    const std::size_t taken = std::min(bytes.size(), want_ - need_.size());
    need_.append(bytes.substr(0, taken));
    at_ += taken;
    // Parts without bytes follow at once.
    while (report_.state == ZipState::kNotRead && IsCollected()) Collected();
    return taken;
  }
  bool IsCollected() const {
    return part_ != Part::kContent && part_ != Part::kComment && part_ != Part::kDone &&
           need_.size() == want_;
  }
  std::uint64_t Number(std::size_t at, std::size_t size) const { return LittleEndian(need_, at, size); }
  void Want(Part part, std::size_t bytes) {
    part_ = part;
    want_ = bytes;
    need_.clear();
  }
  void Refuse(const char* problem) {
    report_.state = ZipState::kRefused;
    report_.problem = problem;
  }

  void Collected() {
    switch (part_) {
      case Part::kSignature:
        return TakeSignature();
      case Part::kHead:
        return TakeHead();
      case Part::kName:
        return TakeName();
      case Part::kDescriptor:
        return TakeDescriptor();
      case Part::kRecord:
        return TakeRecord();
      case Part::kRecordName:
        return TakeRecordName();
      case Part::kEnd64:
        return TakeEnd64();
      case Part::kLocator64:
        return Want(Part::kSignature, 4);
      case Part::kEndRecord:
        return TakeEnd();
      default:
        break;
    }
  }

  void TakeSignature() {
    const std::uint64_t signature = Number(0, 4);
    if (signature == kEntry && !in_directory_) {
      entry_at_ = at_ - 4;
      return Want(Part::kHead, 26);
    }
    if (signature == kDirectory) {
      in_directory_ = true;
      return Want(Part::kRecord, 42);
    }
    if (signature == kEnd64) return Want(Part::kEnd64, 8);
    if (signature == kLocator64) return Want(Part::kLocator64, 16);
    if (signature == kEnd) return Want(Part::kEndRecord, 18);
    report_.state = ZipState::kBroken;
  }

  void TakeHead() {
    flags_ = static_cast<unsigned>(Number(2, 2));
    method_ = static_cast<unsigned>(Number(4, 2));
    packed_left_ = Number(14, 4);
    name_size_ = static_cast<std::size_t>(Number(22, 2));
    const auto extra = static_cast<std::size_t>(Number(24, 2));
    if (++report_.entries > kMaxEntries) return Refuse("zip_too_many_entries");
    if ((flags_ & kIsEncrypted) != 0) return Refuse("zip_encrypted_entry");
    Want(Part::kName, name_size_ + extra);
  }

  void TakeName() {
    name_ = need_.substr(0, name_size_);
    if (IsBadName(name_)) return Refuse("zip_bad_name");
    if (name_ == kDatabase && depth_ == 0) {
      if (report_.database) return Refuse("zip_two_databases");
      report_.database = ContentClass::kEmpty;
    }
    has_long_sizes_ = false;
    ReadExtra();
    entries_.push_back(Fingerprint(name_, entry_at_));
    beginning_.clear();
    within_.reset();
    // Where the content ends is only known if the entry says so, or its coding does.
    const bool has_descriptor = (flags_ & kHasDescriptor) != 0;
    if ((method_ != kStored && method_ != kDeflated) ||
        (method_ == kStored && has_descriptor && packed_left_ == 0 && !name_.ends_with('/'))) {
      report_.state = ZipState::kHidden;
      return;
    }
    if (method_ == kDeflated) {
      stream_ = {};
      if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
      is_inflating_ = true;
    }
    Want(Part::kContent, 0);
    if (method_ == kStored && packed_left_ == 0) EndContent();
  }

  void ReadExtra() {
    std::size_t at = name_size_;
    while (at + 4 <= need_.size()) {
      const std::uint64_t id = Number(at, 2), size = Number(at + 2, 2);
      if (at + 4 + size > need_.size()) return;
      if (id == kZip64Extra) {
        has_long_sizes_ = true;
        if (packed_left_ == kSizeElsewhere && size >= 16) packed_left_ = Number(at + 4 + 8, 8);
      }
      at += 4 + static_cast<std::size_t>(size);
    }
  }

  std::size_t TakeContent(std::string_view bytes) {
    if (method_ == kDeflated) return Inflate(bytes);
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), packed_left_));
    at_ += taken;
    packed_left_ -= taken;
    Unpacked(bytes.substr(0, taken));
    if (packed_left_ == 0 && report_.state == ZipState::kNotRead) EndContent();
    return taken;
  }

  std::size_t Inflate(std::string_view bytes) {
    std::array<char, 32 << 10> out;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(bytes.size(), 1 << 20));
    const std::size_t given = stream_.avail_in;
    int result = Z_OK;
    while (result == Z_OK && report_.state == ZipState::kNotRead) {
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = out.size();
      result = inflate(&stream_, Z_NO_FLUSH);
      const std::size_t got = out.size() - stream_.avail_out;
      at_in_entry_ = at_ + (given - stream_.avail_in);
      Unpacked({out.data(), got});
      if (stream_.avail_in == 0 && got < out.size() && result == Z_OK) break;
    }
    const std::size_t taken = given - stream_.avail_in;
    at_ += taken;
    if (result == Z_STREAM_END) {
      inflateEnd(&stream_);
      is_inflating_ = false;
      if (report_.state == ZipState::kNotRead) EndContent();
    } else if (result != Z_OK && result != Z_BUF_ERROR && report_.state == ZipState::kNotRead) {
      report_.state = ZipState::kBroken;
    }
    return taken;
  }

  // Of entries, and of entries of zips in them: together they are bounded.
  void Count(std::int64_t unpacked) {
    unpacked_ += unpacked;
    if (unpacked_ > kMaxUnpackedBytes) return Refuse("zip_too_large");
    const auto packed = static_cast<std::int64_t>(std::max(at_, at_in_entry_));
    if (unpacked_ > kRatioFrom && unpacked_ / kMaxRatio > packed) Refuse("zip_ratio");
  }

  // Bytes of an entry.
  void Unpacked(std::string_view bytes) {
    if (name_ == kDatabase && depth_ == 0) database_.Write(bytes);
    Count(static_cast<std::int64_t>(bytes.size()));
    if (report_.state != ZipState::kNotRead) return;
    if (beginning_.size() < kBeginning) {
      const bool was_known = beginning_.size() >= 4;
      const std::size_t added = std::min(bytes.size(), kBeginning - beginning_.size());
      beginning_.append(bytes.substr(0, added));
      if (!was_known && ClassOfBeginning(beginning_) == ContentClass::kZip) {
        if (depth_ == 0) {
          within_ = std::make_unique<Reader>(depth_ + 1);
          within_->Write(beginning_);
          bytes.remove_prefix(added);
        } else {
          report_.has_unknown_archive = true;
        }
      }
      const ContentClass known = ClassOfBeginning(beginning_);
      report_.has_plaintext |= known == ContentClass::kSqlitePlain || known == ContentClass::kSqliteSidecar;
      report_.has_unknown_archive |= IsOtherArchive(beginning_);
    }
    if (within_ == nullptr) return;
    const std::int64_t before = within_->unpacked_;
    within_->Write(bytes);
    Count(within_->unpacked_ - before);
    const ZipReport& inner = within_->report();
    report_.has_plaintext |= inner.has_plaintext;
    report_.has_unknown_archive |= inner.has_unknown_archive;
    if (inner.state == ZipState::kRefused) Refuse(inner.problem);
  }

  void EndContent() {
    if (within_ != nullptr && within_->Finish().state != ZipState::kComplete)
      report_.has_unknown_archive = true;
    within_.reset();
    if (name_ == kDatabase && depth_ == 0) {
      report_.database = ClassOfDatabase();
    } else if (!name_.ends_with('/')) {
      report_.has_documents = true;
    }
    if ((flags_ & kHasDescriptor) != 0) return Want(Part::kDescriptor, 4);
    Want(Part::kSignature, 4);
  }

  ContentClass ClassOfDatabase() const {
    if (beginning_.empty()) return ContentClass::kEmpty;
    const ContentClass known = ClassOfBeginning(beginning_);
    if (known != ContentClass::kOther) return known;
    return database_.Finish(std::chrono::system_clock::now()) ? ContentClass::kCordiaxFernet : known;
  }

  // Its signature may be missing (APPNOTE 4.3.9.3), so that the first four bytes are the checksum.
  void TakeDescriptor() {
    const std::size_t sizes = has_long_sizes_ ? 16 : 8;
    if (need_.size() == 4) {
      want_ = Number(0, 4) == kDescriptor ? 8 + sizes : 4 + sizes;
      return;
    }
    Want(Part::kSignature, 4);
  }

  void TakeRecord() {
    record_name_ = static_cast<std::size_t>(Number(24, 2));
    record_at_ = Number(38, 4);
    Want(Part::kRecordName, record_name_ + static_cast<std::size_t>(Number(26, 2) + Number(28, 2)));
  }

  void TakeRecordName() {
    if (record_at_ != kSizeElsewhere) {
      const std::string_view name = std::string_view(need_).substr(0, record_name_);
      if (records_ >= entries_.size() || entries_[records_] != Fingerprint(name, record_at_)) {
        report_.state = ZipState::kBroken;
        return;
      }
    }
    ++records_;
    Want(Part::kSignature, 4);
  }

  // The size of the rest comes first. No program writes more than the fixed part.
  void TakeEnd64() {
    constexpr std::uint64_t kFixedRest = 44;
    if (need_.size() == 8) {
      if (Number(0, 8) != kFixedRest) report_.state = ZipState::kBroken;
      want_ = 8 + kFixedRest;
      return;
    }
    Want(Part::kSignature, 4);
  }

  void TakeEnd() {
    if (records_ != entries_.size()) report_.state = ZipState::kBroken;
    packed_left_ = Number(16, 2);
    Want(packed_left_ == 0 ? Part::kDone : Part::kComment, 0);
  }

  std::size_t TakeComment(std::string_view bytes) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), packed_left_));
    packed_left_ -= taken;
    at_ += taken;
    if (packed_left_ == 0) part_ = Part::kDone;
    return taken;
  }

  static std::uint64_t Fingerprint(std::string_view name, std::uint64_t at) {
    return std::hash<std::string_view>()(name) ^ (at * 0x9e3779b97f4a7c15ULL);
  }

  const int depth_;  // 0: the zip itself
  ZipReport report_{};
  Part part_ = Part::kSignature;
  std::string need_{};
  std::size_t want_ = 4;
  std::uint64_t at_ = 0;           // in the zip
  std::uint64_t at_in_entry_ = 0;  // the same, while a piece is inflated
  std::int64_t unpacked_ = 0;
  bool in_directory_ = false;
  std::vector<std::uint64_t> entries_{};  // fingerprints, in their order
  std::size_t records_ = 0;               // of the directory
  // The entry that is being read.
  unsigned flags_ = 0, method_ = 0;
  std::uint64_t packed_left_ = 0, entry_at_ = 0, record_at_ = 0;
  std::size_t name_size_ = 0, record_name_ = 0;
  bool has_long_sizes_ = false;
  std::string name_{}, beginning_{};
  FernetScan database_{};
  bool is_inflating_ = false;
  z_stream stream_{};
  std::unique_ptr<Reader> within_{};
};

ZipScan::ZipScan() : reader_(std::make_unique<Reader>(0)) {}
ZipScan::~ZipScan() = default;

void ZipScan::Write(std::string_view bytes) {
  reader_->Write(bytes);
}
const ZipReport& ZipScan::report() const {
  return reader_->report();
}
const ZipReport& ZipScan::Finish() {
  return reader_->Finish();
}

}  // namespace syncline::vault
