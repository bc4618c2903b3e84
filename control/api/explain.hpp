// Why a packet goes where it goes: every step of the decision, with what the operator wrote at the end of
// each. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/api/json.hpp"
#include "control/kernel/netlink.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"
#include "dataplane.pb.h"

namespace sekisho::api {

struct Flow {
  std::uint32_t source = 0;
  std::uint32_t destination = 0;
  std::string port;  // empty: any port that the source's zone allows
};

// What the daemon knows of the world; an offline `explain` knows nothing of it.
struct World {
  const kernel::Mirror* mirror = nullptr;
  const sync::View* view = nullptr;
};

// What the policy says.
[[nodiscard]] Json explain(const policy::Policy& policy, const Flow& flow, const World& world);
// Adds what the dataplane answered from the tables that packets meet, and where the two differ.
void compare(Json& explanation, const Decision& decision);

}  // namespace sekisho::api
