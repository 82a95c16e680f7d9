#pragma once
// Addresses of the network, and which of them an outgoing connection may lead to.
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

/// An address of IPv6. One of IPv4 is kept as IPv4-mapped (::ffff:a.b.c.d), so that both spellings are the same one.
struct NetworkAddress {
  std::array<std::uint8_t, 16> bytes{};

  bool IsV4() const;
  /// As one writes it, without brackets.
  std::string Text() const;
};

/// None for anything but a numeric address, as inet_pton takes it, or with brackets around one of IPv6.
std::optional<NetworkAddress> ParseAddress(std::string_view text);
/// None for other families than AF_INET and AF_INET6, and for scoped addresses.
std::optional<NetworkAddress> AddressOf(const sockaddr& address);

/// Whether the address is public: globally reachable unicast, and not one that embeds an address of IPv4
/// (6to4, Teredo, NAT64), through which a private one could be named.
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
