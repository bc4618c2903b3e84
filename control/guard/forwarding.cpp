// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/forwarding.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace sekisho::guard {
namespace {

constexpr const char* ipv6_setting = "/proc/sys/net/ipv6/conf/all/forwarding";

bool must_not_forward(int link, const Guard& guard) {
  const bool is_exit = guard.exit && (link == guard.exit->in || link == guard.exit->out);
  return !is_exit && (guard.is_whole_host() || guard.links.contains(link));
}

tl::expected<void, std::string> write_zero(const char* file) {
  const int fd = ::open(file, O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && ::write(fd, "0\n", 2) == 2;
  const int error = errno;
  if (fd >= 0) {
    ::close(fd);
  }
  if (!written) {
    return tl::unexpected(fmt::format("{} cannot be written: {}", file, std::strerror(error)));
  }
  return {};
}

}  // namespace

auto forwarding_links(const Guard& guard, const netlink::Mirror& mirror)
    -> std::vector<const netlink::Link*> {
  std::vector<const netlink::Link*> links;
  for (const auto& [index, link] : mirror.links) {
    if (link.forwarding && must_not_forward(index, guard)) {
      links.push_back(&link);
    }
  }
  return links;
}

bool new_links_forward(const Guard& guard, const netlink::Mirror& mirror) {
  return guard.is_whole_host() && mirror.default_forwarding;
}

auto close_new_links() -> tl::expected<void, std::string> {
  return write_zero("/proc/sys/net/ipv4/conf/default/forwarding");
}

bool ipv6_forwards(const Guard& guard) {
  bool forwards = false;  // a kernel without IPv6 has no such file
  return guard.is_whole_host() && std::ifstream(ipv6_setting) >> forwards && forwards;
}

auto close_ipv6() -> tl::expected<void, std::string> {
  return write_zero(ipv6_setting);
}

}  // namespace sekisho::guard
