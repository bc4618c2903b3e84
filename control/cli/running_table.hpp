// SPDX-License-Identifier: BSD-3-Clause
// Tables to be compared: those of the appliance that runs, asked for, and what is put together from elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "common/base/prefix.hpp"
#include "control/cli/context.hpp"
#include "control/route/difference.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::cli {

// A finished table and what its numbers mean, whoever owns them.
struct LoadedTable {
  std::shared_ptr<const route::RouteTable> table;
  std::shared_ptr<const route::Names> names;

  [[nodiscard]] route::Side side() const { return {*table, *names}; }
};

class TableBuilder {
 public:
  void add(base::Prefix prefix, route::Origin origin, std::string_view next_hop) {
    table_->add({prefix, origin, route::NextHopType::named, names_->intern(next_hop)});
  }
  LoadedTable finish() && {
    table_->finish();
    return {std::move(table_), std::move(names_)};
  }

 private:
  std::shared_ptr<route::RouteTable> table_ = std::make_shared<route::RouteTable>();
  std::shared_ptr<route::Names> names_ = std::make_shared<route::Names>();
};

// Hosts on a port's subnet that answered: they come and go, and go where their subnet's route goes.
enum class Hosts : std::uint8_t { with, without };

// What is in force in a zone, connected prefixes among it; what control does not know it says first.
[[nodiscard]] auto load_running_table(Context& context, const std::string& zone, Hosts hosts)
    -> tl::expected<LoadedTable, std::string>;
// The same of a configuration that would run on this machine.
[[nodiscard]] auto load_configured_table(const std::string& file, const std::string& zone)
    -> tl::expected<LoadedTable, std::string>;

}  // namespace sekisho::cli
