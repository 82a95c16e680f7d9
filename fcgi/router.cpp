#include "fcgi/router.h"

#include <map>
#include <optional>
#include <stdexcept>

namespace syncline::front {

// One segment of the patterns. std::less<> finds by view without making a string.
struct Router::Node {
  std::map<std::string, Node, std::less<>> literals;
  std::unique_ptr<Node> param;
  std::vector<const Route*> routes;
  const Dialect* dialect = nullptr;  // of every route at or below; null when they differ
  bool has_dialect = false;

  void Take(const Dialect* other) {
    dialect = has_dialect && dialect != other ? nullptr : other;
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
  if (route.auth == Auth::kRequired && route.dialect->authenticate == nullptr) {
    throw std::logic_error(name + ": a login is required, but the dialect knows none");
  }
  Node* node = root_.get();
  node->Take(route.dialect);
  while (!rest.empty()) {
    const std::string_view segment = TakeSegment(rest);
    if (IsParam(segment)) {
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

const Router::Node* Router::Walk(const Node& node, std::string_view rest,
                                 std::vector<std::string_view>& params, const Dialect*& dialect) {
  if (node.dialect != nullptr) dialect = node.dialect;
  if (rest.empty()) return node.routes.empty() ? nullptr : &node;
  const std::string_view segment = TakeSegment(rest);
  if (const auto found = node.literals.find(segment); found != node.literals.end()) {
    if (const Node* end = Walk(found->second, rest, params, dialect)) return end;
  }
  // Depth is that of the table, not of the path: a path longer than every pattern ends here early.
  if (node.param != nullptr && !segment.empty()) {
    params.push_back(segment);
    if (const Node* end = Walk(*node.param, rest, params, dialect)) return end;
    params.pop_back();
  }
  return nullptr;
}

Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  if (!path.starts_with('/')) return match;
  std::vector<std::string_view> values;
  const Node* node = Walk(*root_, path, values, match.dialect);
  if (node == nullptr) return match;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route* route : node->routes) {
    if (route->method != wanted && route->method != method) continue;
    match.route = route;
    if (route->method == method) break;  // a HEAD of its own
  }
  if (match.route == nullptr) {
    for (const Route* route : node->routes) {
      match.allow += (match.allow.empty() ? "" : ", ") + std::string(route->method);
      if (std::string_view(route->method) == "GET") match.allow += ", HEAD";
    }
    match.dialect = node->routes.front()->dialect;
    return match;
  }
  match.dialect = match.route->dialect;
  if (values.empty()) return match;
  std::string_view rest = match.route->pattern;
  for (std::size_t i = 0; !rest.empty();) {
    const std::string_view segment = TakeSegment(rest);
    if (IsParam(segment)) match.path_params.emplace_back(segment.substr(1, segment.size() - 2), values[i++]);
  }
  return match;
}

std::string Router::Print(const Config& config) const {
  std::string out;
  for (const auto table : tables_) {
    for (const Route& route : table) {
      out += std::string(route.method) + " " + route.pattern + " " + route.operation + " " +
             (route.auth == Auth::kRequired ? "login" : "public") + " " +
             (route.access == sql::Access::kRead ? "read" : "write") + " " +
             std::to_string(route.body_limit.Bytes(config)) + "\n";
    }
  }
  return out;
}

}  // namespace syncline::front
