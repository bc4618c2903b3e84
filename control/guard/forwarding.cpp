#include "control/guard/forwarding.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sekisho::guard {
namespace {

bool must_not_forward(int link, const Guard& guard) {
  const bool is_exit = guard.exit && (link == guard.exit->in || link == guard.exit->out);
  return !is_exit && (guard.is_whole_host() || guard.links.contains(link));
}

}  // namespace

auto forwarding_links(const Guard& guard, const kernel::Mirror& mirror) -> std::vector<const kernel::Link*> {
  std::vector<const kernel::Link*> links;
  for (const auto& [index, link] : mirror.links) {
    if (link.forwarding && must_not_forward(index, guard)) {
      links.push_back(&link);
    }
  }
  return links;
}

bool new_links_forward(const Guard& guard, const kernel::Mirror& mirror) {
  return guard.is_whole_host() && mirror.default_forwarding;
}

auto close_new_links() -> tl::expected<void, std::string> {
  constexpr const char* file = "/proc/sys/net/ipv4/conf/default/forwarding";
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

}  // namespace sekisho::guard
