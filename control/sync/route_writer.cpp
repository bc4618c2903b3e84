// SPDX-License-Identifier: BSD-3-Clause
#include "control/sync/route_writer.hpp"

namespace sekisho::sync {
namespace {

void append(ipc::Routes& routes, base::Prefix prefix) {
  routes.add_address(prefix.address);
  routes.mutable_length()->push_back(static_cast<char>(prefix.length));
}

}  // namespace

void RouteWriter::zone(std::string_view name) {
  zone_ = name;
  routes_ = nullptr;
  withdrawn_ = nullptr;
}

ipc::Change& RouteWriter::change() {
  if (count_ == routes_per_change) {
    changes_.emplace_back();
    count_ = 0;
    routes_ = nullptr;
    withdrawn_ = nullptr;
  }
  ++count_;
  return changes_.back();
}

std::uint32_t RouteWriter::index_of(std::string_view next_hop) {
  const auto [entry, is_new] =
      indexes_.try_emplace(std::string(next_hop), static_cast<std::uint32_t>(indexes_.size()));
  if (is_new) {
    routes_->add_next_hop_names(entry->first);
  }
  return entry->second;
}

void RouteWriter::add(base::Prefix prefix, std::string_view next_hop) {
  auto& here = change();
  if (routes_ == nullptr) {
    routes_ = here.add_routes();
    routes_->set_zone(zone_);
    indexes_.clear();
  }
  append(*routes_, prefix);
  routes_->add_next_hop(index_of(next_hop));
}

void RouteWriter::withdraw(base::Prefix prefix) {
  auto& here = change();
  if (withdrawn_ == nullptr) {
    withdrawn_ = here.add_withdraw();
    withdrawn_->set_zone(zone_);
  }
  append(*withdrawn_, prefix);
}

}  // namespace sekisho::sync
