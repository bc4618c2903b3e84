// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/role.hpp"

#include <fmt/format.h>
#include <grp.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace sekisho::serve {
namespace {

// What is not named here changes something, also when it is new.
constexpr std::array<std::string_view, 8> reading{"advertising", "effective-routes", "explain", "history",
                                                  "lookup",      "monitor",          "prove",   "show"};

}  // namespace

bool only_reads(const Json& request) {
  const auto command = string_member(request, "command");
  const auto name = command ? command->value_or("") : "";
  // Control reads files that its clients may not read, and its errors quote them: another configuration is for who may change this one.
  const auto config = string_member(request, "config");
  return std::ranges::find(reading, name) != reading.end() ||
         (name == "reload" && flag_member(request, "dry_run").value_or(false) && config && !*config);
}

// The group is looked up for each client: its number may change while control runs.
Role Role::of(int socket, const std::string& admin_group) {
  Role role;
  role.admin_group_ = admin_group;
  if (const auto peer = ipc::peer_of(socket)) {
    role.is_owner_ = peer->is_owner();
    const auto* const group = admin_group.empty() ? nullptr : getgrnam(admin_group.c_str());
    role.is_admin_ = role.is_owner_ || (group != nullptr && peer->is_in(group->gr_gid));
  }
  return role;
}

auto Role::may(const Json& request) const -> tl::expected<void, std::string> {
  if (is_admin_ || only_reads(request)) {
    return {};
  }
  return tl::unexpected(
      admin_group_.empty()
          ? "you may read and change nothing: only root may, and the group of sekisho-control's "
            "--admin-group, which is not given"
          : fmt::format("you may read and change nothing: only root and group {} may", admin_group_));
}

}  // namespace sekisho::serve
