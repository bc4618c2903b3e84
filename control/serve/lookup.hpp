// SPDX-License-Identifier: BSD-3-Clause
// `lookup` online: what the dataplane's own table of a zone answers for addresses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/serve/backend.hpp"
#include "control/serve/json.hpp"

namespace sekisho::serve {

inline constexpr std::size_t max_lookup_addresses = 1024;  // in one request

struct LookupQuery {
  std::uint32_t source = 0;  // the dataplane takes the table of the zone that this belongs to
  std::string zone;
  std::vector<std::uint32_t> addresses;
};

[[nodiscard]] auto read_lookup(const Json& request, const policy::Policy& policy)
    -> tl::expected<LookupQuery, std::string>;
// An array of {"address", "prefix", "next_hop"}, in the order asked; null where no route covers the address, and where the
// dataplane drops what is for it before it asks a table: that has "before_tables", the reason, besides.
void lookup(const LookupQuery& query, Backend& backend,
            std::function<void(tl::expected<Json, std::string>)> done);

}  // namespace sekisho::serve
