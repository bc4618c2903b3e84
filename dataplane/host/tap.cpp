// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/host/tap.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "common/base/fd.hpp"
#include "dataplane/host/link.hpp"

namespace sekisho::host {
namespace {

constexpr const char* control_device = "/dev/net/tun";

short flags_of(Tap::Kind kind) noexcept {
  return static_cast<short>((kind == Tap::Kind::frames ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

// 0 or an errno.
int configure(unsigned long what, ifreq& request) noexcept {
  const base::Fd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return socket.valid() && ioctl(socket.get(), what, &request) == 0 ? 0 : errno;
}

auto refuse(const std::string& name, std::string_view step, int error) {
  return tl::unexpected(fmt::format("{}: {} failed ({})", name, step, std::strerror(error)));
}

auto attach(const std::string& name, Tap::Kind kind, bool exists) -> tl::expected<base::Fd, std::string> {
  base::Fd fd{::open(control_device, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  if (!fd.valid()) {
    return tl::unexpected(fmt::format("{}: {} cannot be opened ({}); `modprobe tun` brings it", name,
                                      control_device, std::strerror(errno)));
  }
  auto request = request_for(name);
  // Not one that somebody made since we looked.
  request.ifr_flags = static_cast<short>(flags_of(kind) | (exists ? 0 : IFF_TUN_EXCL));
  if (ioctl(fd.get(), TUNSETIFF, &request) == 0) {
    return fd;
  }
  switch (errno) {
    case EPERM:
      return tl::unexpected(fmt::format("{}: making an interface needs root or CAP_NET_ADMIN", name));
    case EBUSY:
      return tl::unexpected(fmt::format("{}: another process holds it; is another dataplane running?", name));
    default:
      return refuse(name, "attaching to the interface", errno);
  }
}

bool may_be_taken(const Link& link, const Tap::Spec& spec) {
  const bool frames = spec.kind == Tap::Kind::frames;
  return link.kind == "tun" && link.tun_type == (frames ? IFF_TAP : IFF_TUN) &&
         (link.alias == spec.alias || (frames && link.alias.starts_with(companion_alias)));
}

}  // namespace

auto Tap::open(const Spec& spec) -> tl::expected<Tap, std::string> {
  const auto& name = spec.name;
  const auto found = find_link(name);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const auto& link = *found;
  if (link && !may_be_taken(*link, spec)) {
    return tl::unexpected(fmt::format(
        "{}: an interface of that name is there and is not \"{}\"; remove or rename it, Sekisho does "
        "not take what it has not made",
        name, spec.alias));
  }
  auto fd = attach(name, spec.kind, link.has_value());
  if (!fd) {
    return tl::unexpected(fd.error());
  }
  Tap tap{name, std::move(*fd)};
  // While no dataplane is attached nobody else attaches (tun_not_capable() in drivers/net/tun.c): both have to match, or the
  // capability CAP_NET_ADMIN is needed. Also of one that an older version has made.
  if (ioctl(tap.fd(), TUNSETOWNER, static_cast<unsigned long>(geteuid())) != 0 ||
      ioctl(tap.fd(), TUNSETGROUP, static_cast<unsigned long>(getegid())) != 0) {
    return refuse(name, "making it this user's", errno);
  }
  if (!link || link->alias != spec.alias) {
    if (auto named = set_alias(name, spec.alias); !named) {
      return tl::unexpected(named.error());
    }
    // The kernel tells nobody of the alias of a link that is down. It tells of another MTU, and with that of the alias; a
    // new TUN may already have the one that it gets below.
    constexpr std::uint16_t another_mtu = 1280;
    if (auto told = tap.set_mtu(another_mtu); !told) {
      return tl::unexpected(told.error());
    }
  }
  if (spec.kind == Kind::frames) {
    auto request = request_for(name);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::ranges::copy(spec.mac, request.ifr_hwaddr.sa_data);
    if (const int error = configure(SIOCSIFHWADDR, request); error != 0) {
      return refuse(name, "giving it the port's MAC address", error);
    }
  }
  if (auto sized = tap.set_mtu(spec.mtu); !sized) {
    return tl::unexpected(sized.error());
  }
  // Last: what fails before leaves nothing behind.
  if (ioctl(tap.fd(), TUNSETPERSIST, 1UL) != 0) {
    return refuse(name, "making it persistent", errno);
  }
  return tap;
}

bool Tap::exists() const noexcept {
  ifreq request{};
  return ioctl(fd(), TUNGETIFF, &request) == 0;
}

void Tap::set_carrier(bool up) const noexcept {
  int carrier = up ? 1 : 0;
  ioctl(fd(), TUNSETCARRIER, &carrier);
}

auto Tap::set_mtu(std::uint16_t mtu) const -> tl::expected<void, std::string> {
  auto request = request_for(name_);
  request.ifr_mtu = mtu;
  if (const int error = configure(SIOCSIFMTU, request); error != 0) {
    return refuse(name_, fmt::format("setting its MTU to {}", mtu), error);
  }
  return {};
}

void Tap::keep_mtu(std::uint16_t mtu) const {
  auto request = request_for(name_);
  if (configure(SIOCGIFMTU, request) != 0 || request.ifr_mtu == mtu) {
    return;
  }
  if (const auto done = set_mtu(mtu)) {
    spdlog::warn("{}: somebody has set its MTU to {}; it is {} again, as its port's is", name_,
                 request.ifr_mtu, mtu);
  }
}

void remove_stale(std::string_view alias, const std::set<std::string>& wanted) {
  const auto links = links_with_alias(alias);
  if (!links) {
    spdlog::warn("interfaces of ports that are gone may stay: {}", links.error());
    return;
  }
  for (const auto& link : *links) {
    if (link.kind != "tun" || wanted.contains(link.name)) {
      continue;
    }
    const auto kind = link.tun_type == IFF_TAP ? Tap::Kind::frames : Tap::Kind::packets;
    const auto fd = attach(link.name, kind, true);
    if (fd && ioctl(fd->get(), TUNSETPERSIST, 0UL) == 0) {
      spdlog::info("interface {} (\"{}\") goes: nothing needs it any more", link.name, link.alias);
    }
  }
}

}  // namespace sekisho::host
