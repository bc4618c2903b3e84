// SPDX-License-Identifier: BSD-3-Clause
// Who may ask what: everybody who may connect reads; what changes something is for root, for the user that control runs as, and
// for the members of one group.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "common/ipc/peer.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

// What is not known to read changes something.
[[nodiscard]] bool only_reads(const Json& request);

class Role {
 public:
  // `admin_group` may be empty: nobody but the owner changes anything.
  [[nodiscard]] static Role of(int socket, const std::string& admin_group);

  // The error is one sentence that says who may.
  [[nodiscard]] auto may(const Json& request) const -> tl::expected<void, std::string>;
  [[nodiscard]] bool may_change() const noexcept { return is_admin_; }
  [[nodiscard]] bool is_owner() const noexcept { return is_owner_; }

 private:
  std::string admin_group_;
  bool is_owner_ = false;
  bool is_admin_ = false;
};

}  // namespace sekisho::serve
