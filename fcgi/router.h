#pragma once
// Finds the route for a method and path. Built once, read by all slots without locking.
//
// A pattern is a list of segments; {name} matches exactly one non-empty segment, {name...} at the end matches
// all that are left, at least one, of which only the last may be empty: "/dav/{path...}" matches "/dav/",
// "/dav/a" and "/dav/a/", but not "/dav". A literal segment takes precedence over {name}, and {name} over
// {name...}. Mistakes in the table (two rows for one method and pattern, a required login that the dialect
// cannot check) end the program at startup. Left out on purpose: regular expressions, rewriting.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "handlers/base/route.h"

namespace syncline::front {

struct Match {
  const Route* route = nullptr;  ///< null: no match
  std::vector<std::pair<std::string, std::string>> path_params;
  /// With a null route, and for OPTIONS: the methods of the path, for Allow; empty if there is no such path.
  std::string allow;
  /// The dialect for errors of this path: that of the route, or the one that all routes around the path
  /// share (of one service the first one), or null.
  const Dialect* dialect = nullptr;
  /// With a null route, if the path has other methods: the pattern of one of them.
  const char* pattern = nullptr;
  /// With a null route: the path matches a route if a trailing slash is added or removed, and that dialect
  /// redirects.
  enum class Slash { kRight, kMissing, kExtra } slash = Slash::kRight;
};

class Router {
 public:
  /// Throws std::logic_error on a mistake in the table. The rows must outlive the router.
  explicit Router(std::vector<std::span<const Route>> tables);
  ~Router();
  Router(Router&&) noexcept;

  /// `segments` as in Request. HEAD finds the row of GET if it has none.
  Match Find(std::string_view method, std::span<const std::string> segments) const;
  const std::vector<std::span<const Route>>& tables() const { return tables_; }
  /// "METHOD pattern operation auth access limit" for every row, in the order of the tables.
  std::string Print(const Config& config) const;

 private:
  struct Node;
  void Add(const Route& route);
  static const Node* Walk(const Node& node, std::span<const std::string> rest,
                          std::vector<std::string>& params, const Dialect*& dialect);
  static std::string MethodsOf(const Node& node);
  Match::Slash SlashOf(std::span<const std::string> segments) const;
  /// The route of a path that matches only without its empty segments; null unless that route's dialect
  /// ignores slashes.
  const Node* WalkWithoutSlashes(std::span<const std::string> segments, std::vector<std::string>& params,
                                 const Dialect*& dialect) const;

  std::vector<std::span<const Route>> tables_;
  std::unique_ptr<Node> root_;
};

}  // namespace syncline::front
