// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/running_table.hpp"

#include "control/cli/client.hpp"

namespace sekisho::cli {

auto load_running_table(Context& context, const std::string& zone) -> tl::expected<LoadedTable, std::string> {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  TableBuilder builder;
  const Json request{{"command", "show"}, {"what", "routes"}, {"zone", zone}};
  const auto asked = (*client)->ask_pages(request, [&](const Json& page) {
    for (const auto& route : page) {  // winners only: what they won against is of no matter here
      builder.add(base::parse_prefix(route.at("prefix").get_ref<const std::string&>()).value(),
                  route::Origin::user, route.at("next_hop").get_ref<const std::string&>());
    }
  });
  if (!asked) {
    return tl::unexpected{asked.error()};
  }
  tell_problem(context, **client);
  return std::move(builder).finish();
}

}  // namespace sekisho::cli
