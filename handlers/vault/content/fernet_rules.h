#pragma once
// Whether bytes are a database as the desktop encrypts it: 16 bytes of salt, then a Fernet token in base64url. Only the form can be
// checked: nobody here has the password. Keeps some bytes, whatever the size.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::vault {

class FernetScan {
 public:
  void Write(std::string_view bytes);
  /// Whether what came so far can still be the beginning of one.
  bool IsPossible() const { return is_possible_; }
  /// After the last byte: when the client encrypted it, by its clock. None: it is no such database, or made more than a day after `now`.
  std::optional<std::chrono::system_clock::time_point> Finish(
      std::chrono::system_clock::time_point now) const;

 private:
  std::uint64_t size_ = 0;
  int padding_ = 0;
  bool is_possible_ = true;
  std::string beginning_{};  // of the token: version and time
};

}  // namespace syncline::vault
