// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/lookup.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/serve/reasons.hpp"
#include "control/serve/zone_of.hpp"

namespace sekisho::serve {
namespace {

// Requests that are under way together; the first failure answers for all.
struct Batch {
  std::function<void(tl::expected<Json, std::string>)> done;
  Json results = Json::array();
  std::size_t missing = 0;

  void fail(std::string reason) {
    if (auto once = std::exchange(done, nullptr)) {
      once(tl::unexpected{std::move(reason)});
    }
  }
  void arrived() {
    if (--missing == 0) {
      if (auto once = std::exchange(done, nullptr)) {
        once(std::move(results));
      }
    }
  }
};

}  // namespace

auto read_lookup(const Json& request, const policy::Policy& policy)
    -> tl::expected<LookupQuery, std::string> {
  const auto zone = string_member(request, "zone");
  if (!zone) {
    return tl::unexpected{zone.error()};
  }
  LookupQuery query{.source = 0, .zone = zone->value_or(""), .addresses = {}};
  const auto* found = policy.zone(query.zone);
  if (found == nullptr) {
    return tl::unexpected{fmt::format("there is no zone \"{}\"", query.zone)};
  }
  const auto source = source_in(policy, *found);
  if (!source) {
    return tl::unexpected{
        fmt::format("no source leads to zone \"{}\", so that nothing uses its table", query.zone)};
  }
  query.source = *source;
  const auto addresses = request.find("addresses");
  if (addresses == request.end() || !addresses->is_array() || addresses->empty() ||
      addresses->size() > max_lookup_addresses) {
    return tl::unexpected{
        fmt::format("\"addresses\" must be a list of 1 to {} addresses", max_lookup_addresses)};
  }
  for (const auto& text : *addresses) {
    const auto address = text.is_string() ? base::parse_address(text.get_ref<const std::string&>())
                                          : tl::unexpected<base::ParseError>{"an address must be a string"};
    if (!address) {
      return tl::unexpected{address.error()};
    }
    query.addresses.push_back(*address);
  }
  return query;
}

void lookup(const LookupQuery& query, Backend& backend,
            std::function<void(tl::expected<Json, std::string>)> done) {
  auto batch = std::make_shared<Batch>();
  batch->done = std::move(done);
  batch->missing = query.addresses.size();
  for (const auto address : query.addresses) {
    batch->results.push_back(
        {{"address", base::address_to_string(address)}, {"prefix", nullptr}, {"next_hop", nullptr}});
  }
  for (std::size_t i = 0; i < query.addresses.size(); ++i) {
    ipc::Request request;
    request.mutable_lookup()->set_source(query.source);
    request.mutable_lookup()->set_destination(query.addresses[i]);
    backend.ask_dataplane(std::move(request), [batch, i, zone = query.zone,
                                               address = query.addresses[i]](auto replies) {
      if (!replies) {
        batch->fail(replies.error());
        return;
      }
      if (replies->empty() || !replies->front().has_decision()) {
        batch->fail("the dataplane gave no decision");
        return;
      }
      const auto& decision = replies->front().decision();
      // Decided before any table is asked: no prefix matches, in this zone and in every other.
      if (const auto reason = reason_before_tables(address); decision.zone().empty() && !reason.empty()) {
        batch->results[i]["before_tables"] = reason;
        batch->arrived();
        return;
      }
      if (decision.zone() != zone) {
        batch->fail(fmt::format("the dataplane does not have zone \"{}\" as the configuration does", zone));
        return;
      }
      if (!decision.next_hop().empty()) {
        batch->results[i]["prefix"] = prefix_text(decision.prefix());
        batch->results[i]["next_hop"] = policy_name(decision.next_hop());
      }
      batch->arrived();
    });
  }
}

}  // namespace sekisho::serve
