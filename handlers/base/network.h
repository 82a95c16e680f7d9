#pragma once
// IP addresses, and which of them an outgoing connection may use.
//
// Users and upstreams choose the hosts that this server connects to. So only public addresses are allowed by default:
// everything else could be a service of this machine or of its network that trusts whoever reaches it. The setting
// outbound_networks names exceptions. Sources: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890).
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline {

/// An IPv6 address. An IPv4 address is stored as IPv4-mapped (::ffff:a.b.c.d), so that both forms are equal.
struct NetworkAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool IsV4() const;
  /// The usual text form, without brackets.
  std::string Text() const;
};

/// Parses a numeric address as inet_pton does; an IPv6 address may have brackets. None for anything else.
std::optional<NetworkAddress> ParseAddress(std::string_view text);
/// None for other families than AF_INET and AF_INET6, and for scoped addresses.
std::optional<NetworkAddress> AddressOf(const sockaddr& address);

/// Whether the address is public: globally reachable unicast, excluding those that embed an IPv4 address
/// (6to4, Teredo, NAT64), which could be a private one.
bool IsPublic(const NetworkAddress& address);

/// Networks that are allowed although they are not public.
class AllowedNetworks {
 public:
  /// `list`: "10.1.0.0/16, 127.0.0.1, fd00::/8"; may be empty. Throws Error Internal for anything else, so that a
  /// misspelt setting is noticed.
  explicit AllowedNetworks(std::string_view list);
  /// Public, or in one of the networks.
  bool Allows(const NetworkAddress& address) const;

 private:
  struct Network {
    NetworkAddress base;
    int bits;  // of the 128
  };
  std::vector<Network> networks_;
};

}  // namespace syncline
