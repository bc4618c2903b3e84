// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/request.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/prefix.hpp"
#include "common/base/unix_time.hpp"
#include "control/serve/ask_live.hpp"
#include "control/serve/changes.hpp"
#include "control/serve/drain_member.hpp"
#include "control/serve/effective_routes.hpp"
#include "control/serve/explain.hpp"
#include "control/serve/lookup.hpp"
#include "control/serve/override.hpp"
#include "control/serve/plan.hpp"
#include "control/serve/prove.hpp"
#include "control/serve/reload.hpp"
#include "control/serve/routes.hpp"
#include "control/serve/show.hpp"
#include "control/serve/show_learned.hpp"
#include "control/serve/show_names.hpp"

namespace sekisho::serve {
namespace {

using Then = std::function<void(Answer)>;

Answer refuse(std::string reason) {
  return {.reply = {{"ok", false}, {"error", std::move(reason)}}, .next = {}};
}

Answer answer(Json result) {
  Answer whole{.reply = {{"ok", true}}, .next = {}};
  whole.reply["result"] = std::move(result);
  return whole;
}

using base::now_unix_ms;

// What only the dataplane knows. `show`: what becomes of its answer, nothing if that is not what was asked for.
void ask_only(Backend& backend, ipc::Request request, Then done,
              std::function<std::optional<Json>(const ipc::Reply&)> show) {
  if (!backend.dataplane_connected()) {
    done(refuse("the dataplane is not connected: is sekisho-dataplane running?"));
    return;
  }
  backend.ask_dataplane(std::move(request), [done = std::move(done), show = std::move(show)](auto replies) {
    if (!replies) {
      done(refuse(replies.error()));
      return;
    }
    auto shown = replies->empty() ? std::nullopt : show(replies->front());
    done(shown ? answer(std::move(*shown)) : refuse("the dataplane gave another answer than was asked for"));
  });
}

void with_statistics(Backend& backend, Then done, std::function<Json(const ipc::Statistics&)> show) {
  ipc::Request request;
  request.mutable_get_statistics();
  ask_only(backend, std::move(request), std::move(done), [show = std::move(show)](const ipc::Reply& reply) {
    return reply.has_statistics() ? std::optional{show(reply.statistics())} : std::nullopt;
  });
}

void answer_last_drops(Backend& backend, Then done) {
  ipc::Request request;
  request.mutable_get_last_drops();
  ask_only(backend, std::move(request), std::move(done), [](const ipc::Reply& reply) {
    return reply.has_last_drops() ? std::optional{show_last_drops(reply.last_drops())} : std::nullopt;
  });
}

// As next() gives them, for as long as there are more.
template <class Pages>
Answer page(std::shared_ptr<Pages> pages) {
  auto one = answer(pages->next());
  if (pages->more()) {
    one.reply["more"] = true;
    one.next = [pages = std::move(pages)] { return page(pages); };
  }
  return one;
}

// What the answer cannot know without the dataplane is said beside it.
Answer beside(const Live& live, Answer known) {
  if (const auto problem = dataplane_problem(live)) {
    known.reply["problem"] = problem->sentence;
  }
  return known;
}

void show_routes(const Json& request, Backend& backend, Then done) {
  const auto zone = string_member(request, "zone");
  const auto prefix = string_member(request, "prefix");
  const auto longer = flag_member(request, "longer");
  if (!zone || !prefix || !longer) {
    done(refuse(!zone ? zone.error() : !prefix ? prefix.error() : longer.error()));
    return;
  }
  RouteQuery query{.zone = *zone, .prefix = std::nullopt, .longer = *longer};
  if (*prefix) {
    const auto parsed = base::parse_prefix(**prefix);
    if (!parsed) {
      done(refuse(parsed.error()));
      return;
    }
    query.prefix = *parsed;
  }
  ask_live(backend, [&backend, query = std::move(query), done = std::move(done)](const Live& said) {
    auto pages = RoutePages::open(backend.policy(), backend.view(), query);
    done(pages ? beside(said, page(std::make_shared<RoutePages>(std::move(*pages)))) : refuse(pages.error()));
  });
}

void effective_routes(const Json& request, Backend& backend, const Then& done) {
  const auto zone = string_member(request, "zone");
  const auto winners = flag_member(request, "winners");
  if (!zone || !winners) {
    done(refuse(!zone ? zone.error() : winners.error()));
    return;
  }
  ask_live(backend, [&backend, zone = zone->value_or(""), winners = *winners, done](const Live& said) {
    auto pages = EffectivePages::open(backend.policy(), zone, {.winners = winners});
    done(pages ? beside(said, page(std::make_shared<EffectivePages>(std::move(*pages))))
               : refuse(pages.error()));
  });
}

void show(const Json& request, Backend& backend, std::uint64_t started_unix_ms, Then done) {
  const auto what = string_member(request, "what");
  const auto all = flag_member(request, "all");
  if (!what || !all) {
    done(refuse(!what ? what.error() : all.error()));
    return;
  }
  const auto live = [&](auto shape) {
    ask_live(backend,
             [done = std::move(done), shape](const Live& said) { done(beside(said, answer(shape(said)))); });
  };
  const auto name = what->value_or("");
  if (name == "ports") {
    live([&backend](const Live& said) { return show_ports(*backend.policy(), backend.mirror(), said); });
  } else if (name == "zones") {
    live([&backend](const Live& said) { return show_zones(*backend.policy(), said); });
  } else if (name == "next-hops") {
    live([&backend](const Live& said) { return show_next_hops(*backend.policy(), backend.view(), said); });
  } else if (name == "state") {
    live([&backend, started_unix_ms](const Live& said) {
      return show_state(*backend.policy(), said, problems_now(backend, said),
                        {.draining_since_unix_ms = backend.draining_since_unix_ms(),
                         .control_started_unix_ms = started_unix_ms,
                         .now_unix_ms = now_unix_ms()});
    });
  } else if (name == "neighbours") {  // the kernel's own
    done(answer(show_neighbours(*backend.policy(), backend.mirror(), backend.view().members)));
  } else if (name == "config") {
    ask_live(backend, [&backend, done = std::move(done)](const Live& said) {
      backend.plan([&backend, said, done](const Planned& planned) {
        done(beside(said, answer(show_config(*backend.policy(), backend.sources(), planned))));
      });
    });
  } else if (name == "names") {
    done(answer(show_names(*backend.policy())));
  } else if (name == "overrides") {
    done(answer(show_overrides(*backend.policy(), backend.history().configuration)));
  } else if (name == "bgp") {
    backend.look_at_bgp([&backend, done = std::move(done)] { done(answer(show_bgp(backend.bgp()))); });
  } else if (name == "learned") {
    live([&backend](const Live&) { return show_learned(*backend.policy()); });
  } else if (name == "learned-routes") {
    done(page(std::make_shared<LearnedPages>(backend.policy())));
  } else if (name == "routes") {
    show_routes(request, backend, std::move(done));
  } else if (name == "drops") {
    with_statistics(backend, std::move(done), [everything = *all](const ipc::Statistics& said) {
      return show_drops(said, everything);
    });
  } else if (name == "last-drops") {
    answer_last_drops(backend, std::move(done));
  } else if (name == "stats") {
    with_statistics(backend, std::move(done), [](const ipc::Statistics& said) { return show_stats(said); });
  } else {
    done(refuse(fmt::format("there is no \"{}\" to show", name)));
  }
}

void prove(const Json& request, Backend& backend, Then done) {
  if (auto known = refuse_other_members(request, {}); !known) {
    done(refuse(known.error()));
    return;
  }
  ask_live(backend, [&backend, done = std::move(done)](const Live& said) {
    done(beside(said, page(std::make_shared<ProofPages>(backend.policy(), backend.view()))));
  });
}

// What tells the flow between two addresses from others between them.
auto read_flow(const Json& request) -> tl::expected<Flow, std::string> {
  Flow flow;
  const auto protocol = string_member(request, "protocol");
  if (!protocol) {
    return tl::unexpected(protocol.error());
  }
  if (*protocol) {
    const auto named = protocol_named(**protocol);
    if (!named) {
      return tl::unexpected(
          fmt::format("\"{}\" is neither tcp, udp, icmp nor a number up to 255", **protocol));
    }
    flow.protocol = *named;
  }
  for (const auto& [name, port] :
       {std::pair{"source_port", &flow.source_port}, {"destination_port", &flow.destination_port}}) {
    const auto given = request.find(name);
    if (given == request.end() || given->is_null()) {
      continue;
    }
    const auto number = given->is_number_integer() ? given->get<std::int64_t>() : -1;
    if (number < 0 || number > 65535) {
      return tl::unexpected(fmt::format("\"{}\" is a number up to 65535", name));
    }
    if (!has_ports(flow.protocol)) {
      return tl::unexpected(fmt::format("\"{}\" requires protocol tcp or udp", name));
    }
    *port = static_cast<std::uint16_t>(number);
  }
  return flow;
}

void explain_flow(const Json& request, Backend& backend, Then done) {
  const auto source = string_member(request, "source");
  const auto destination = string_member(request, "destination");
  const auto port = string_member(request, "port");
  if (!source || !destination || !port) {
    done(refuse(!source ? source.error() : !destination ? destination.error() : port.error()));
    return;
  }
  const auto from = base::parse_address(source->value_or(""));
  const auto to = base::parse_address(destination->value_or(""));
  if (!from || !to) {
    done(refuse(!from ? from.error() : to.error()));
    return;
  }
  const auto policy = backend.policy();
  auto read = read_flow(request);
  if (!read) {
    done(refuse(read.error()));
    return;
  }
  read->source = *from;
  read->destination = *to;
  read->port = port->value_or("");
  const auto flow = *std::move(read);
  const auto known = [&](const config::Port& each) { return each.name == flow.port; };
  if (!flow.port.empty() && std::none_of(policy->config.ports.begin(), policy->config.ports.end(), known)) {
    done(refuse(fmt::format("there is no port \"{}\"", flow.port)));
    return;
  }
  const World world{.mirror = &backend.mirror(), .view = &backend.view()};
  auto explanation = explain(*policy, flow, world);
  if (!backend.dataplane_connected()) {
    be_without_dataplane(explanation, *policy, flow, world);
    done(answer(std::move(explanation)));
    return;
  }
  ipc::Request lookup;
  lookup.mutable_lookup()->set_source(flow.source);
  lookup.mutable_lookup()->set_destination(flow.destination);
  lookup.mutable_lookup()->set_port(flow.port);
  backend.ask_dataplane(std::move(lookup), [&backend, flow, explanation = std::move(explanation),
                                            done = std::move(done)](auto replies) {
    auto whole = explanation;
    if (replies && !replies->empty() && replies->front().has_decision()) {
      compare(whole, replies->front().decision());
      be_what_happens(whole, flow, backend.circumstances().failed_ports);
    } else {  // a refusal says something about the dataplane: a port that it does not know yet, say
      be_unknown(whole, replies ? "the dataplane gave no decision" : replies.error());
    }
    done(answer(std::move(whole)));
  });
}

void lookup_addresses(const Json& request, Backend& backend, Then done) {
  const auto query = read_lookup(request, *backend.policy());
  if (!query) {
    done(refuse(query.error()));
    return;
  }
  lookup(*query, backend, [done = std::move(done)](tl::expected<Json, std::string> result) {
    done(result ? answer(std::move(*result)) : refuse(std::move(result.error())));
  });
}

Answer plan_pages(Plan plan) {
  auto pages = std::make_shared<PlanPages>(std::move(plan));
  auto head = answer(plan_json(pages->plan()));
  if (pages->more()) {
    head.reply["more"] = true;
    head.next = [pages] { return page(pages); };
  }
  return head;
}

void change_routes(const Json& request, Backend& backend, Then done) {
  auto wanted = read_overrides(request);
  if (!wanted) {
    done(refuse(wanted.error()));
    return;
  }
  backend.change_routes(std::move(*wanted),
                        [done = std::move(done)](const tl::expected<Reloaded, std::string>& result) {
                          done(result ? answer(reload_json(*result)) : refuse(result.error()));
                        });
}

void reload(const Json& request, Backend& backend, Then done) {
  const auto wanted = read_reload(request);
  if (!wanted) {
    done(refuse(wanted.error()));
    return;
  }
  if (wanted->is_dry_run) {
    backend.rehearse(wanted->rehearsal, [done = std::move(done)](tl::expected<Plan, std::string> plan) {
      done(plan ? plan_pages(std::move(*plan)) : refuse(std::move(plan.error())));
    });
    return;
  }
  backend.reload(wanted->order,
                 [done = std::move(done)](const tl::expected<Reloaded, std::string>& reloaded) {
                   done(reloaded ? answer(reload_json(*reloaded)) : refuse(reloaded.error()));
                 });
}

void confirm(const Json& request, Backend& backend, const Then& done) {
  auto confirmed = refuse_other_members(request, {}).and_then([&] { return backend.confirm(); });
  done(confirmed ? answer(history_json(backend.history())) : refuse(std::move(confirmed.error())));
}

void drain(const Json& request, Backend& backend, bool is_wanted, const Then& done) {
  if (auto known = refuse_other_members(request, {}); !known) {
    done(refuse(known.error()));
    return;
  }
  const bool was = backend.draining_since_unix_ms().has_value();
  if (const auto drained = backend.drain(is_wanted); !drained) {
    done(refuse(drained.error()));
    return;
  }
  // Peers are told first: what is answered is what FRR says then.
  backend.look_at_bgp([&backend, was, done] {
    const auto since = backend.draining_since_unix_ms();
    Json result{{"draining", since.has_value()},
                {"since_unix_ms", since ? Json(*since) : Json(nullptr)},
                {"changed", was != since.has_value()}};
    if (const auto* status = backend.bgp()) {
      result["bgp"] = show_bgp(status);
    }
    done(answer(std::move(result)));
  });
}

// What `sekisho bgp watch` is to withdraw when nobody answers here any more.
Json advertising(const Backend& backend) {
  const auto& bgp = backend.policy()->config.bgp;
  const auto* status = backend.bgp();
  if (!bgp || status == nullptr) {
    return {{"configured", false}};
  }
  auto prefixes = Json::array();
  for (const auto prefix : status->prefixes) {
    prefixes.push_back(base::to_string(prefix));
  }
  return {{"configured", true},
          {"frr", bgp->frr},
          {"dead_after_ms", bgp->advertising.dead_after.count()},
          {"prefixes", std::move(prefixes)}};
}

void drain_member(const Json& request, Backend& backend, const Then& done) {
  const auto wanted = read_drain(request);
  if (!wanted) {
    done(refuse(wanted.error()));
    return;
  }
  const auto changed = backend.drain_member(*wanted);
  if (!changed) {
    done(refuse(changed.error()));
    return;
  }
  done(answer({{"next_hop", wanted->next_hop},
               {"member", base::address_to_string(wanted->member)},
               {"drained", wanted->drained},
               {"changed", *changed},
               {"dataplane_connected", backend.dataplane_connected()}}));
}

// A page of events, and behind it those that will come.
Answer events_page(Json events, const std::shared_ptr<events::Subscription>& subscription) {
  auto one = answer(std::move(events));
  one.reply["more"] = true;
  // Whoever waits holds the subscription by this, which must not hold itself.
  one.later = [subscription](Then done) {
    subscription->next(
        [weak = std::weak_ptr(subscription), done = std::move(done)](const events::Subscription::Page& page) {
          auto array = Json::array();
          if (page.lost != 0) {
            array.push_back(events::to_json(
                {.kind = "lost",
                 .sentence = fmt::format("{} events were lost: they were read too slowly", page.lost),
                 .details = {{"count", page.lost}},
                 .unix_ms = now_unix_ms()}));
          }
          for (const auto& event : page.events) {
            array.push_back(events::to_json(*event));
          }
          if (const auto self = weak.lock()) {
            done(events_page(std::move(array), self));
          }
        });
  };
  return one;
}

// How it is, then what changes.
void monitor(Backend& backend, Then done) {
  ask_state(
      backend, [&backend, subscription = backend.subscribe(), done = std::move(done)](const Live& live) {
        const auto now = now_unix_ms();
        auto verdict = verdict_event(judge(*backend.policy(), problems_now(backend, live)), std::nullopt);
        verdict.unix_ms = now;
        auto first = Json::array({events::to_json(verdict)});
        if (backend.draining_since_unix_ms()) {
          auto draining = drain_event(true);
          draining.unix_ms = now;
          first.push_back(events::to_json(draining));
        }
        done(events_page(std::move(first), subscription));
      });
}

}  // namespace

void handle(const Json& request, Backend& backend, std::uint64_t started_unix_ms, Then done) {
  const auto command = string_member(request, "command");
  const auto name = command ? command->value_or("") : "";
  if (!command) {
    done(refuse(command.error()));
  } else if (name == "reload") {  // also without a policy: this may be how one comes
    reload(request, backend, std::move(done));
  } else if (backend.policy() == nullptr) {
    done(refuse("no configuration is loaded"));
  } else if (name == "show") {
    show(request, backend, started_unix_ms, std::move(done));
  } else if (name == "route") {
    change_routes(request, backend, std::move(done));
  } else if (name == "drain" || name == "undrain") {
    drain(request, backend, name == "drain", done);
  } else if (name == "advertising") {
    done(answer(advertising(backend)));
  } else if (name == "next-hop") {
    drain_member(request, backend, done);
  } else if (name == "confirm") {
    confirm(request, backend, done);
  } else if (name == "history") {
    done(answer(history_json(backend.history())));
  } else if (name == "monitor") {
    monitor(backend, std::move(done));
  } else if (name == "lookup") {
    lookup_addresses(request, backend, std::move(done));
  } else if (name == "prove") {
    prove(request, backend, std::move(done));
  } else if (name == "effective-routes") {
    effective_routes(request, backend, done);
  } else if (name == "explain") {
    explain_flow(request, backend, std::move(done));
  } else {
    done(refuse(fmt::format("there is no command \"{}\"", name)));
  }
}

}  // namespace sekisho::serve
