// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/prove.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/serve/route_json.hpp"
#include "control/sync/kernel_routes.hpp"

namespace sekisho::serve {
namespace {

prove::KernelRoute kernel_route(const sync::KernelRoute& route) {
  using Kind = sync::KernelRoute::Kind;
  using To = prove::KernelRoute::Kind;
  const auto to = route.kind == Kind::own ? To::own : route.kind == Kind::edge ? To::dropped : To::connected;
  return {.prefix = route.prefix, .kind = to, .source = source_of(route)};
}

Json decider_json(const prove::Decider& decider) {
  return {{"prefix", decider.prefix ? Json(base::to_string(*decider.prefix)) : Json(nullptr)},
          {"next_hop", decider.next_hop},
          {"origin", decider.origin.empty() ? Json(nullptr) : Json(decider.origin)},
          {"written", decider.written}};
}

Json zone_json(const std::string& zone) {
  return zone.empty() ? Json(nullptr) : Json(zone);
}

Json counterexample_json(const prove::Counterexample& example) {
  return {{"source", example.source ? Json(base::address_to_string(*example.source)) : Json(nullptr)},
          {"source_prefix",
           example.source_prefix ? Json(base::to_string(*example.source_prefix)) : Json(nullptr)},
          {"destination", base::address_to_string(example.destination)},
          {"zone", zone_json(example.zone)},
          {"route", decider_json(example.decider)}};
}

}  // namespace

Json proof_json(const prove::Proof& proof, const policy::Policy& policy) {
  const auto place = policy.config.at(proof.line);
  auto offenders = Json::array();
  for (const auto& offender : proof.offenders) {
    offenders.push_back({{"zone", zone_json(offender.zone)},
                         {"route", decider_json(offender.decider)},
                         {"destinations", offender.destinations}});
  }
  return {
      {"name", proof.name},
      {"statement", proof.statement},
      {"file", place.file.string()},
      {"line", place.line},
      {"built_in", proof.built_in},
      {"holds", proof.holds},
      {"says_nothing", proof.empty.empty() ? Json(nullptr) : Json(proof.empty)},
      {"spoken", proof.spoken},
      {"destinations", proof.destinations},
      {"pairs", proof.pairs ? Json(*proof.pairs) : Json(nullptr)},
      {"sentence", prove::sentence(proof)},
      {"counterexample", proof.counterexample ? counterexample_json(*proof.counterexample) : Json(nullptr)},
      {"offenders", std::move(offenders)}};
}

prove::Kernel kernel_of(const policy::Policy& policy, const sync::View& view) {
  prove::Kernel kernel;
  for (const auto& zone : policy.zones) {
    auto& routes = kernel.routes.emplace_back();
    const auto known = sync::kernel_routes(zone, view);
    std::ranges::transform(known, std::back_inserter(routes), kernel_route);
  }
  for (const auto& port : view.ports) {
    kernel.subnets.insert(kernel.subnets.end(), port.subnets.begin(), port.subnets.end());
    for (const auto address : port.local)
      kernel.nobodys.push_back({address, 32});
  }
  return kernel;
}

ProofPages::ProofPages(std::shared_ptr<const policy::Policy> policy, const sync::View& view)
    : policy_(std::move(policy)), prover_(*policy_, kernel_of(*policy_, view)) {}

Json ProofPages::next() {
  auto page = Json::array();
  if (more()) {
    page.push_back(proof_json(prover_.prove(next_++), *policy_));
  }
  return page;
}

}  // namespace sekisho::serve
