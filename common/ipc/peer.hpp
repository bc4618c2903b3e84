// SPDX-License-Identifier: BSD-3-Clause
// Who is at the other end of a Unix socket, by the kernel's word: the credentials are those of the moment when it connected.
#pragma once

#include <sys/types.h>

#include <optional>
#include <vector>

namespace sekisho::ipc {

struct Peer {
  pid_t process = 0;
  uid_t user = 0;
  std::vector<gid_t> groups;  // the primary one and the supplementary ones

  [[nodiscard]] bool is_in(gid_t group) const;
  // Root, or the user that this process runs as: whoever could stop it anyway.
  [[nodiscard]] bool is_owner() const;
};

// Empty when the kernel does not say; nobody is to be trusted then.
[[nodiscard]] auto peer_of(int socket) -> std::optional<Peer>;

}  // namespace sekisho::ipc
