#pragma once
// SHA-1 (FIPS 180-4), for protocols that identify content by it. Never where forgery matters: use SHA-256
// there.
#include <memory>
#include <string>
#include <string_view>

namespace syncline {

class Sha1 {
 public:
  Sha1();
  ~Sha1();
  Sha1(const Sha1&) = delete;
  Sha1& operator=(const Sha1&) = delete;

  void Add(std::string_view bytes);
  /// 20 bytes, over everything that was added. Call it once.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline
