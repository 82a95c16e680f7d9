#include "handlers/base/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "handlers/base/errors.h"

namespace syncline {
namespace {

constexpr int kV4Bits = 96;  // the length of ::ffff:0:0/96
constexpr std::array<std::uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

NetworkAddress Mapped(const in_addr& v4) {
  NetworkAddress address;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes.begin());
  std::memcpy(address.bytes.data() + kV4Prefix.size(), &v4, sizeof v4);
  return address;
}

bool IsIn(const NetworkAddress& address, const NetworkAddress& base, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + bits / 8, address.bytes.begin())) return false;
  if (bits % 8 == 0) return true;
  const int shift = 8 - bits % 8;
  return base.bytes[whole] >> shift == address.bytes[whole] >> shift;
}

struct Range {
  const char* base;
  int bits;
};

// RFC 6890 and its successor registries, without ranges that lie in another one.
constexpr Range kPrivateV4[] = {
    {"0.0.0.0", 8},        // this network
    {"10.0.0.0", 8},       // private
    {"100.64.0.0", 10},    // shared by carriers
    {"127.0.0.0", 8},      // this machine
    {"169.254.0.0", 16},   // link-local; metadata services of clouds
    {"172.16.0.0", 12},    // private
    {"192.0.0.0", 24},     // protocol assignments
    {"192.0.2.0", 24},     // documentation
    {"192.88.99.0", 24},   // 6to4 relays
    {"192.168.0.0", 16},   // private
    {"198.18.0.0", 15},    // benchmarks
    {"198.51.100.0", 24},  // documentation
    {"203.0.113.0", 24},   // documentation
    {"224.0.0.0", 4},      // multicast
    {"240.0.0.0", 4},      // reserved, broadcast
};
// All of IPv6 that is public lies in this range.
constexpr Range kGlobalV6 = {"2000::", 3};
constexpr Range kPrivateV6[] = {
    {"2001::", 23},      // protocol assignments, among them Teredo
    {"2001:db8::", 32},  // documentation
    {"2002::", 16},      // 6to4
    {"3fff::", 20},      // documentation
};

bool IsIn(const NetworkAddress& address, const Range& range) {
  const NetworkAddress base = *ParseAddress(range.base);
  return IsIn(address, base, base.IsV4() ? range.bits + kV4Bits : range.bits);
}

}  // namespace

bool NetworkAddress::IsV4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
}

std::string NetworkAddress::Text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (IsV4()) {
    inet_ntop(AF_INET, bytes.data() + kV4Prefix.size(), text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  }
  return text;
}

std::optional<NetworkAddress> ParseAddress(std::string_view text) {
  const bool is_bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  const std::string plain(is_bracketed ? text.substr(1, text.size() - 2) : text);
  if (plain.find('\0') != std::string::npos) return std::nullopt;
  in_addr v4{};
  if (!is_bracketed && inet_pton(AF_INET, plain.c_str(), &v4) == 1) return Mapped(v4);
  NetworkAddress address;
  if (inet_pton(AF_INET6, plain.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<NetworkAddress> AddressOf(const sockaddr& address) {
  if (address.sa_family == AF_INET) return Mapped(reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  if (v6.sin6_scope_id != 0) return std::nullopt;
  NetworkAddress found;
  std::memcpy(found.bytes.data(), &v6.sin6_addr, found.bytes.size());
  return found;
}

bool IsPublic(const NetworkAddress& address) {
  const auto holds = [&](const Range& range) { return IsIn(address, range); };
  if (address.IsV4()) return std::none_of(std::begin(kPrivateV4), std::end(kPrivateV4), holds);
  return holds(kGlobalV6) && std::none_of(std::begin(kPrivateV6), std::end(kPrivateV6), holds);
}

AllowedNetworks::AllowedNetworks(std::string_view list) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    const auto slash = one.find('/');
    const auto base = ParseAddress(one.substr(0, slash));
    bool is_valid = base.has_value();
    int bits = 128;
    if (is_valid && slash != std::string_view::npos) {
      const std::string_view length = one.substr(slash + 1);
      const auto [at, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
      is_valid = error == std::errc() && at == length.data() + length.size() && bits >= 0 &&
                 bits <= (base->IsV4() ? 32 : 128);
      if (base->IsV4()) bits += kV4Bits;
    }
    if (!is_valid)
      throw Error(ErrorKind::kInternal, "internal", "outbound_networks: not a network: " + std::string(one));
    networks_.push_back({*base, bits});
  }
}

bool AllowedNetworks::Allows(const NetworkAddress& address) const {
  return IsPublic(address) || std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
           return IsIn(address, network.base, network.bits);
         });
}

}  // namespace syncline
