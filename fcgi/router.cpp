#include "fcgi/router.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>

namespace syncline::front {

// One segment of the patterns. std::less<> allows lookup by view without making a string.
struct Router::Node {
  std::map<std::string, Node, std::less<>> literals;
  std::unique_ptr<Node> param, tail;  // {name}, {name...}
  std::vector<const Route*> routes;
  // Of the routes at or below: the first one of their service; null when they are of several.
  const Dialect* dialect = nullptr;
  bool has_dialect = false;

  void Take(const Dialect* other) {
    const bool is_same = dialect != nullptr && std::string_view(dialect->service) == other->service;
    if (!is_same) dialect = has_dialect ? nullptr : other;
    has_dialect = true;
  }
};

namespace {

/// Takes the first segment off "/a/b": "a", leaving "/b". `path` starts with '/'.
std::string_view TakeSegment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

bool IsParam(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool IsTail(std::string_view segment) {
  return IsParam(segment) && segment.ends_with("...}");
}

/// "{deck}" and "{deck...}" are both "deck".
std::string_view NameOf(std::string_view segment) {
  const std::size_t around = IsTail(segment) ? 5 : 2;
  return segment.substr(1, segment.size() - around);
}

/// Whether {name...} matches: empty segments inside would give one path two spellings.
bool IsTailPath(std::span<const std::string> segments) {
  return !segments.empty() && std::none_of(segments.begin(), segments.end() - 1,
                                           [](const std::string& segment) { return segment.empty(); });
}

std::string Joined(std::span<const std::string> segments) {
  std::string path = segments.front();
  for (const std::string& segment : segments.subspan(1)) path.append("/").append(segment);
  return path;
}

}  // namespace

Router::Router(std::vector<std::span<const Route>> tables)
    : tables_(std::move(tables)), root_(std::make_unique<Node>()) {
  for (const auto table : tables_) {
    for (const Route& route : table) Add(route);
  }
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

void Router::Add(const Route& route) {
  const std::string name = std::string(route.method) + " " + route.pattern;
  std::string_view rest = route.pattern;
  if (!rest.starts_with('/')) throw std::logic_error(name + ": the pattern must start with /");
  if (route.dialect == nullptr || route.handler == nullptr) throw std::logic_error(name + ": incomplete row");
  if (route.auth != Auth::kPublic && route.dialect->authenticate == nullptr) {
    throw std::logic_error(name + ": a login is required, but the dialect has none");
  }
  if (route.roles != Roles::kNone && route.auth != Auth::kRequired) {
    throw std::logic_error(name + ": roles without a login");
  }
  Node* node = root_.get();
  node->Take(route.dialect);
  while (!rest.empty()) {
    const std::string_view segment = TakeSegment(rest);
    if (IsTail(segment)) {
      if (!rest.empty()) throw std::logic_error(name + ": {name...} must be the last segment");
      if (node->tail == nullptr) node->tail = std::make_unique<Node>();
      node = node->tail.get();
    } else if (IsParam(segment)) {
      if (node->param == nullptr) node->param = std::make_unique<Node>();
      node = node->param.get();
    } else {
      node = &node->literals[std::string(segment)];
    }
    node->Take(route.dialect);
  }
  for (const Route* other : node->routes) {
    if (std::string_view(other->method) == route.method)
      throw std::logic_error(name + ": twice in the table");
  }
  node->routes.push_back(&route);
}

const Router::Node* Router::Walk(const Node& node, std::span<const std::string> rest,
                                 std::vector<std::string>& params, const Dialect*& dialect) {
  if (node.dialect != nullptr) dialect = node.dialect;
  if (rest.empty()) return node.routes.empty() ? nullptr : &node;
  const std::string& segment = rest.front();
  if (const auto found = node.literals.find(segment); found != node.literals.end()) {
    if (const Node* end = Walk(found->second, rest.subspan(1), params, dialect)) return end;
  }
  // The table bounds the depth, not the path: a path longer than every pattern ends here early.
  if (node.param != nullptr && !segment.empty()) {
    params.push_back(segment);
    if (const Node* end = Walk(*node.param, rest.subspan(1), params, dialect)) return end;
    params.pop_back();
  }
  if (node.tail != nullptr && IsTailPath(rest)) {
    params.push_back(Joined(rest));
    return Walk(*node.tail, {}, params, dialect);
  }
  return nullptr;
}

Match Router::Find(std::string_view method, std::span<const std::string> segments) const {
  Match match;
  std::vector<std::string> values;
  const Node* node = segments.empty() ? nullptr : Walk(*root_, segments, values, match.dialect);
  if (node == nullptr) node = WalkWithoutSlashes(segments, values, match.dialect);
  if (node == nullptr) {
    match.slash = SlashOf(segments);
    return match;
  }
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route* route : node->routes) {
    if (route->method != wanted && route->method != method) continue;
    match.route = route;
    if (route->method == method) break;  // an explicit HEAD row
  }
  if (match.route == nullptr) match.pattern = node->routes.front()->pattern;
  if (match.route == nullptr || method == "OPTIONS") match.allow = MethodsOf(*node);
  match.dialect = (match.route != nullptr ? match.route : node->routes.front())->dialect;
  if (match.route == nullptr || values.empty()) return match;
  std::string_view rest = match.route->pattern;
  for (std::size_t i = 0; !rest.empty();) {
    const std::string_view segment = TakeSegment(rest);
    if (IsParam(segment)) match.path_params.emplace_back(NameOf(segment), std::move(values[i++]));
  }
  return match;
}

const Router::Node* Router::WalkWithoutSlashes(std::span<const std::string> segments,
                                               std::vector<std::string>& params,
                                               const Dialect*& dialect) const {
  std::vector<std::string> others;
  std::copy_if(segments.begin(), segments.end(), std::back_inserter(others),
               [](const std::string& segment) { return !segment.empty(); });
  std::vector<std::string> values;
  const Dialect* around = nullptr;
  const Node* node = Walk(*root_, others, values, around);
  if (node != nullptr) around = node->routes.front()->dialect;
  if (around == nullptr || !around->ignores_slashes) return nullptr;
  params = std::move(values);
  dialect = around;
  return node;
}

Match::Slash Router::SlashOf(std::span<const std::string> segments) const {
  if (segments.empty()) return Match::Slash::kRight;
  std::vector<std::string> other(segments.begin(), segments.end());
  const bool has_slash = other.back().empty();
  if (has_slash) {
    other.pop_back();
    if (!other.empty() && other.back().empty()) return Match::Slash::kRight;  // "//" is never one slash
  } else {
    other.emplace_back();
  }
  std::vector<std::string> values;
  const Dialect* dialect = nullptr;
  const Node* node = Walk(*root_, other, values, dialect);
  if (node == nullptr || !node->routes.front()->dialect->redirects_slashes) return Match::Slash::kRight;
  return has_slash ? Match::Slash::kExtra : Match::Slash::kMissing;
}

std::string Router::MethodsOf(const Node& node) {
  std::string methods;
  for (const Route* route : node.routes) {
    methods += (methods.empty() ? "" : ", ") + std::string(route->method);
    const bool has_head = std::any_of(node.routes.begin(), node.routes.end(), [](const Route* other) {
      return std::string_view(other->method) == "HEAD";
    });
    if (std::string_view(route->method) == "GET" && !has_head) methods += ", HEAD";
  }
  return methods;
}

namespace {

const char* AuthText(const Route& route) {
  if (route.auth == Auth::kPublic) return "public";
  if (route.auth == Auth::kOptional) return "optional";
  return HasAll(route.roles, Roles::kAdmin) ? "admin" : "login";
}

}  // namespace

std::string Router::Print(const Config& config) const {
  std::string out;
  for (const auto table : tables_) {
    for (const Route& route : table) {
      out += std::string(route.method) + " " + route.pattern + " " + route.operation + " " + AuthText(route) +
             " " + (route.access == sql::Access::kRead ? "read" : "write") + " " +
             std::to_string(route.body_limit.Bytes(config)) + "\n";
    }
  }
  return out;
}

}  // namespace syncline::front
