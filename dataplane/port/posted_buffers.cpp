// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/posted_buffers.hpp"

#include <dlfcn.h>

#include <cerrno>

#include "dataplane/port/open_files.hpp"
#include "dataplane/port/xsk_rings.hpp"

struct xsk_umem;

namespace sekisho::port {
namespace {

PostedBuffers* opening = nullptr;

// libxdp comes with the PMD, as a plugin's library, and is not where RTLD_NEXT looks.
int delete_by_libxdp(xsk_umem* umem) {
  using Delete = int (*)(xsk_umem*);
  static void* const libxdp = dlopen("libxdp.so.1", RTLD_LAZY | RTLD_NOLOAD);
  static const auto original =
      libxdp == nullptr ? nullptr : reinterpret_cast<Delete>(dlsym(libxdp, "xsk_umem__delete"));
  return original == nullptr ? -ENOSYS : original(umem);
}

}  // namespace

PostedBuffers::PostedBuffers(const rte_mempool& pool) : pool_{pool}, mapped_before_{mapped_sockets()} {
  opening = this;
}

PostedBuffers::~PostedBuffers() {
  opening = nullptr;
}

const std::set<rte_mbuf*>& PostedBuffers::find() {
  for (const auto& socket : mapped_sockets()) {
    if (!mapped_before_.contains(socket)) {
      buffers_.merge(XskRings::posted(mapped_ranges(socket), pool_));
    }
  }
  return buffers_;
}

}  // namespace sekisho::port

extern "C" int xsk_umem__delete(xsk_umem* umem) {
  if (sekisho::port::opening != nullptr) {
    static_cast<void>(sekisho::port::opening->find());
  }
  return sekisho::port::delete_by_libxdp(umem);
}
