// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/policy.hpp"

#include <algorithm>

#include "control/policy/builder.hpp"

namespace sekisho::policy {

const ZonePolicy* Policy::zone(std::string_view name) const {
  const auto found = std::ranges::find(zones, name, &ZonePolicy::name);
  return found == zones.end() ? nullptr : &*found;
}

namespace {

auto make(config::Config config, const InterfaceAddresses& addresses)
    -> tl::expected<std::shared_ptr<Policy>, base::Error> {
  auto policy = std::make_shared<Policy>();
  policy->config = std::move(config);
  if (auto refused = Builder{*policy, addresses}.build())
    return tl::unexpected(std::move(*refused));
  return policy;
}

}  // namespace

auto build(config::Config config, const InterfaceAddresses& addresses)
    -> tl::expected<std::shared_ptr<const Policy>, base::Error> {
  return make(std::move(config), addresses);
}

auto read(const std::filesystem::path& file, const InterfaceAddresses& addresses)
    -> tl::expected<std::shared_ptr<const Policy>, base::Error> {
  auto config = config::read(file);
  if (!config)
    return tl::unexpected(std::move(config.error()));
  return build(std::move(*config), addresses);
}

auto refuse_to_run(const Policy& policy) -> std::optional<base::Error> {
  const auto& config = policy.config;
  if (!config.bgp && config.internet && config.internet->advertise != config::Advertise::none)
    return config.at(config.internet->line,
                     "\"advertise\" in [internet] has nobody to tell: name peers in [bgp]");
  return std::nullopt;
}

auto build_to_run(config::Config config, const InterfaceAddresses& addresses, const Lint& lint)
    -> tl::expected<std::shared_ptr<const Policy>, base::Error> {
  auto policy = make(std::move(config), addresses);
  if (!policy)
    return policy;
  if (auto refused = refuse_to_run(**policy))
    return tl::unexpected(std::move(*refused));
  if (lint)
    (*policy)->warnings = lint(**policy);
  return policy;
}

auto read_to_run(const std::filesystem::path& file, const InterfaceAddresses& addresses)
    -> tl::expected<std::shared_ptr<const Policy>, base::Error> {
  auto config = config::read(file);
  if (!config)
    return tl::unexpected(std::move(config.error()));
  return build_to_run(std::move(*config), addresses);
}

}  // namespace sekisho::policy
