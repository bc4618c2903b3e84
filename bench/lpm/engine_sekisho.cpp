// SPDX-License-Identifier: BSD-3-Clause
#include <array>

#include "bench/lpm/engine.hpp"
#include "dataplane/fib/qsbr.hpp"

namespace sekisho::bench {
namespace {

class Sekisho final : public Engine {
 public:
  static Made make(const Table& table) {
    auto engine = std::make_unique<Sekisho>();
    auto created = fib::Fib::create(engine->qsbr_);
    if (!created) {
      return tl::unexpected(created.error());
    }
    engine->fib_ = std::move(*created);
    if (auto applied = engine->fib_->apply(table.routes); !applied) {
      return tl::unexpected(applied.error());
    }
    return engine;
  }

  void run(std::span<const std::uint32_t> addresses, unsigned bulk) noexcept override {
    for (std::size_t i = 0; i < addresses.size(); i += bulk) {
      fib_->lookup_bulk(&addresses[i], burst_.data(), bulk);
      keep(burst_.data());
    }
  }

  auto answers(std::span<const std::uint32_t> addresses) -> std::vector<fib::Value> override {
    std::vector<fib::Value> next_hops(addresses.size());
    fib_->lookup_bulk(addresses.data(), next_hops.data(), static_cast<unsigned>(addresses.size()));
    return next_hops;
  }

 private:
  fib::Qsbr qsbr_{1};
  std::unique_ptr<fib::Fib> fib_;
  alignas(64) std::array<fib::Value, max_bulk> burst_;
};

}  // namespace

Made make_sekisho(const Table& table) {
  return Sekisho::make(table);
}

}  // namespace sekisho::bench
