// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/steer/attachment.hpp"

#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <linux/if_link.h>

#include <cerrno>
#include <map>

namespace sekisho::steer {
namespace {

std::map<int, Attacher*>& claims() {
  static std::map<int, Attacher*> all;
  return all;
}

using Attach = int (*)(int, int, std::uint32_t, const bpf_xdp_attach_opts*);
using Detach = int (*)(int, std::uint32_t, const bpf_xdp_attach_opts*);

int attach_by_libbpf(int ifindex, int program, std::uint32_t flags,
                     const bpf_xdp_attach_opts* options) noexcept {
  static const auto attach = reinterpret_cast<Attach>(dlsym(RTLD_NEXT, "bpf_xdp_attach"));
  return attach == nullptr ? -ENOSYS : attach(ifindex, program, flags, options);
}

int detach_by_libbpf(int ifindex, std::uint32_t flags, const bpf_xdp_attach_opts* options) noexcept {
  static const auto detach = reinterpret_cast<Detach>(dlsym(RTLD_NEXT, "bpf_xdp_detach"));
  return detach == nullptr ? -ENOSYS : detach(ifindex, flags, options);
}

}  // namespace

void claim(int ifindex, Attacher& attacher) {
  claims()[ifindex] = &attacher;
}

void release(int ifindex, const Attacher& attacher) noexcept {
  if (const auto claimed = claims().find(ifindex);
      claimed != claims().end() && claimed->second == &attacher) {
    claims().erase(claimed);
  }
}

int attach_in_place_of(int ifindex, int program, int replaced) noexcept {
  if (replaced < 0) {
    return attach_by_libbpf(ifindex, program, XDP_FLAGS_UPDATE_IF_NOEXIST, nullptr);
  }
  bpf_xdp_attach_opts options{};
  options.sz = sizeof options;
  options.old_prog_fd = replaced;
  return attach_by_libbpf(ifindex, program, 0, &options);
}

}  // namespace sekisho::steer

using sekisho::steer::claims;

extern "C" int bpf_xdp_attach(int ifindex, int program, std::uint32_t flags,
                              const bpf_xdp_attach_opts* options) {
  const auto claimed = claims().find(ifindex);
  return claimed != claims().end() ? claimed->second->install(program)
                                   : sekisho::steer::attach_by_libbpf(ifindex, program, flags, options);
}

extern "C" int bpf_xdp_detach(int ifindex, std::uint32_t flags, const bpf_xdp_attach_opts* options) {
  return claims().contains(ifindex) ? 0 : sekisho::steer::detach_by_libbpf(ifindex, flags, options);
}
