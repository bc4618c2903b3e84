// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/running_table.hpp"

#include <optional>

#include "control/cli/client.hpp"
#include "control/cli/configuration.hpp"
#include "control/serve/routes.hpp"

namespace sekisho::cli {
namespace {

// Winners only: what they won against is of no matter here.
void add_page(TableBuilder& builder, const Json& page, Hosts hosts) {
  for (const auto& route : page) {
    if (hosts == Hosts::without && route.value("source", std::string{}).starts_with("host on port ")) {
      continue;
    }
    builder.add(base::parse_prefix(route.at("prefix").get_ref<const std::string&>()).value(),
                route::Origin::user, route.at("next_hop").get_ref<const std::string&>());
  }
}

}  // namespace

auto load_running_table(Context& context, const std::string& zone, Hosts hosts)
    -> tl::expected<LoadedTable, std::string> {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  TableBuilder builder;
  const Json request{{"command", "show"}, {"what", "routes"}, {"zone", zone}};
  const auto asked = (*client)->ask_pages(request, [&](const Json& page) { add_page(builder, page, hosts); });
  if (!asked) {
    return tl::unexpected{asked.error()};
  }
  tell_problem(context, **client);
  return std::move(builder).finish();
}

auto load_configured_table(const std::string& file, const std::string& zone)
    -> tl::expected<LoadedTable, std::string> {
  const auto read = read_configuration(file);
  if (!read) {
    return tl::unexpected{read.error()};
  }
  const auto view = sync::view(read->policy->config, read->mirror.value_or(netlink::Mirror{}));
  auto pages =
      serve::RoutePages::open(read->policy, view, {.zone = zone, .prefix = std::nullopt, .longer = false});
  if (!pages) {
    return tl::unexpected{file + ": " + pages.error()};
  }
  TableBuilder builder;
  while (pages->more()) {
    add_page(builder, pages->next(), Hosts::without);
  }
  return std::move(builder).finish();
}

}  // namespace sekisho::cli
