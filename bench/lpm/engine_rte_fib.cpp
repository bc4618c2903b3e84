// SPDX-License-Identifier: BSD-3-Clause
#include <rte_fib.h>

#include <algorithm>
#include <array>

#include "bench/lpm/engine.hpp"
#include "bench/reference_fib.hpp"

namespace sekisho::bench {
namespace {

struct Variant {
  rte_fib_lookup_type type;
  const char* name;
};
constexpr std::array all_variants{Variant{RTE_FIB_LOOKUP_DIR24_8_SCALAR_MACRO, "macro"},
                                  Variant{RTE_FIB_LOOKUP_DIR24_8_SCALAR_INLINE, "inline"},
                                  Variant{RTE_FIB_LOOKUP_DIR24_8_SCALAR_UNI, "uni"},
                                  Variant{RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512, "avx512"}};

class ReferenceFib final : public Engine {
 public:
  explicit ReferenceFib(RteFib fib) : fib_{std::move(fib)} {
    for (const auto& variant : all_variants) {
      if (rte_fib_select_lookup(fib_.get(), variant.type) == 0) {  // refused where the CPU has none
        variants_.push_back(variant);
      }
    }
    select(0);
  }

  auto variants() const -> std::vector<std::string> override {
    std::vector<std::string> names;
    for (const auto& variant : variants_) {
      names.emplace_back(variant.name);
    }
    return names;
  }
  void select(std::size_t variant) override { rte_fib_select_lookup(fib_.get(), variants_[variant].type); }

  void run(std::span<const std::uint32_t> addresses, unsigned bulk) noexcept override {
    auto* const input = const_cast<std::uint32_t*>(addresses.data());  // which it does not write
    for (std::size_t i = 0; i < addresses.size(); i += bulk) {
      rte_fib_lookup_bulk(fib_.get(), input + i, burst_.data(), static_cast<int>(bulk));
      keep(burst_.data());
    }
  }

  auto answers(std::span<const std::uint32_t> addresses) -> std::vector<fib::Value> override {
    std::vector<std::uint64_t> wide(addresses.size());
    rte_fib_lookup_bulk(fib_.get(), const_cast<std::uint32_t*>(addresses.data()), wide.data(),
                        static_cast<int>(wide.size()));
    std::vector<fib::Value> next_hops(wide.size());
    std::transform(wide.begin(), wide.end(), next_hops.begin(),
                   [](std::uint64_t next_hop) { return static_cast<fib::Value>(next_hop); });
    return next_hops;
  }

 private:
  RteFib fib_;
  std::vector<Variant> variants_;
  alignas(64) std::array<std::uint64_t, max_bulk> burst_;
};

}  // namespace

Made make_rte_fib(const Table& table, unsigned entry_bytes) {
  auto created = create_rte_fib(table, entry_bytes);
  if (!created) {
    return tl::unexpected(created.error());
  }
  if (auto inserted = insert(**created, table.routes); !inserted) {
    return tl::unexpected(inserted.error());
  }
  return std::make_unique<ReferenceFib>(std::move(*created));
}

}  // namespace sekisho::bench
