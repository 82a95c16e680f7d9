#include "handlers/vault/content/content_rules.h"

#include <algorithm>

namespace syncline::vault {
namespace {

constexpr std::size_t kTelling = 16;
// Of SQLite's file format, section 1.3.
constexpr std::size_t kSqliteHeader = 100, kPageSizeAt = 16, kChangeCounterAt = 24, kPageCountAt = 28,
                      kValidForAt = 92;
constexpr std::int64_t kLargestPage = 65'536;

std::int64_t BigEndian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::int64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

}  // namespace

bool ContentScan::HasBeginning() const {
  return beginning_.size() >= kTelling;
}

void ContentScan::Write(std::string_view bytes) {
  if (bytes.empty()) return;
  report_.size_bytes += static_cast<std::int64_t>(bytes.size());
  fernet_.Write(bytes);
  const bool was_short = beginning_.size() < kTelling;
  const std::size_t before = beginning_.size();
  beginning_.append(bytes.substr(0, kSqliteHeader - std::min(before, kSqliteHeader)));
  if (was_short) {
    report_.content_class = ClassOfBeginning(beginning_);
    report_.is_other_archive = IsOtherArchive(beginning_);
  }
  if (report_.content_class != ContentClass::kZip || !looks_into_zips_) return;
  if (zip_ == nullptr) {
    // The class may have been known only with this piece.
    zip_ = std::make_unique<ZipScan>();
    zip_->Write(std::string_view(beginning_).substr(0, before));
  }
  zip_->Write(bytes);
  report_.zip = zip_->report();
}

void ContentScan::CheckSqlite() {
  if (beginning_.size() < kSqliteHeader) {
    report_.is_torn = true;
    return;
  }
  std::int64_t page = BigEndian(beginning_, kPageSizeAt, 2);
  if (page == 1) page = kLargestPage;
  const std::int64_t counter = BigEndian(beginning_, kChangeCounterAt, 4);
  report_.change_counter = counter;
  // The number of pages was written by a program that knows it.
  const bool has_count = counter == BigEndian(beginning_, kValidForAt, 4);
  const std::int64_t size = page * BigEndian(beginning_, kPageCountAt, 4);
  report_.is_torn = page == 0 || report_.size_bytes % page != 0 || (has_count && size != report_.size_bytes);
}

const ContentReport& ContentScan::Finish(std::chrono::system_clock::time_point now) {
  if (zip_ != nullptr) report_.zip = zip_->Finish();
  if (report_.content_class == ContentClass::kSqlitePlain) CheckSqlite();
  if (report_.content_class == ContentClass::kOther) {
    report_.client_token_at = fernet_.Finish(now);
    if (report_.client_token_at) report_.content_class = ContentClass::kCordiaxFernet;
  }
  return report_;
}

}  // namespace syncline::vault
