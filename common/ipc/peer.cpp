// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/peer.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sekisho::ipc {

bool Peer::is_in(gid_t group) const {
  return std::ranges::find(groups, group) != groups.end();
}

bool Peer::is_owner() const {
  return user == 0 || user == ::geteuid();
}

auto peer_of(int socket) -> std::optional<Peer> {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return std::nullopt;
  }
  Peer peer{.process = credentials.pid, .user = credentials.uid, .groups = std::vector<gid_t>(64)};
  for (;;) {
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) == 0) {
      peer.groups.resize(size / sizeof(gid_t));
      break;
    }
    if (errno != ERANGE) {
      return std::nullopt;
    }
    peer.groups.resize(size / sizeof(gid_t));  // the kernel says how many there are
  }
  peer.groups.push_back(credentials.gid);
  return peer;
}

}  // namespace sekisho::ipc
