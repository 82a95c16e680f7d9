#pragma once
// SHA-1 (FIPS 180-4), for protocols that name content by it. Never for what must resist forgery: that is SHA-256.
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
  /// 20 bytes, of all that was added. To be called once.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace syncline
