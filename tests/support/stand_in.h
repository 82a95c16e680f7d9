#pragma once
// The stand-in of Jikan (jikan.py) as a child process, for tests in C++. Needs python3.
#include <string>
#include <vector>

namespace syncline::tests {

class StandIn {
 public:
  /// `options` of the program, such as {"--strict", "--second", "0.2"}. Returns when it listens.
  explicit StandIn(const std::vector<std::string>& options = {});
  ~StandIn();
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;

  /// For the setting anime_jikan_url.
  const std::string& url() const { return url_; }
  /// The answer of its control API: Control("POST", "/ctl/rules", R"({"action": ...})").
  std::string Control(const std::string& method, const std::string& target,
                      const std::string& body = "") const;
  /// Adds a rule with this action, for requests whose address matches the regular expression.
  void Rule(const std::string& action, int times = -1, const std::string& path = "") const;
  /// How many requests there were whose address contains this text.
  int Count(const std::string& part = "/v4/") const;
  int Violations() const;
  /// The most requests in any so many milliseconds.
  int Peak(int ms) const;

 private:
  int pid_ = -1, input_ = -1;
  std::string url_, control_;
};

}  // namespace syncline::tests
