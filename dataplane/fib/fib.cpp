// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/fib.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/fib/lookup.hpp"
#include "dataplane/fib/renderer.hpp"
#include "dataplane/fib/shadow.hpp"

namespace sekisho::fib {
namespace {

// Up to here one more array to ask, for each extended block, costs less than entries of twice the size.
constexpr std::size_t most_narrow_extension_tables = 1024;

// Changes sorted by prefix, the last one of each.
auto sorted_changes(std::span<const Route> changes) -> std::vector<PackedRoute> {
  const auto by_key = [](PackedRoute left, PackedRoute right) { return left.key() < right.key(); };
  std::vector<PackedRoute> sorted;
  sorted.reserve(changes.size());
  for (const Route& change : changes) {
    sorted.emplace_back(change.prefix, change.value);
  }
  if (!std::is_sorted(sorted.begin(), sorted.end(), by_key)) {
    std::stable_sort(sorted.begin(), sorted.end(), by_key);
  }
  std::size_t kept = 0;
  for (const PackedRoute change : sorted) {
    if (kept > 0 && sorted[kept - 1].key() == change.key()) {
      --kept;
    }
    sorted[kept++] = change;
  }
  sorted.resize(kept);
  return sorted;
}

// The smallest set of disjoint prefixes, none longer than /24, that holds every address whose answer may
// change. Their sweeps together visit no prefix twice, whatever the changes are.
auto disjoint_ranges(std::span<const PackedRoute> changes) -> std::vector<base::Prefix> {
  std::vector<base::Prefix> ranges;
  for (const PackedRoute change : changes) {
    base::Prefix range = change.prefix();
    if (range.length > 24) {
      range.length = 24;
      range.address &= range.mask();
    }
    if (ranges.empty() || !ranges.back().covers(range)) {
      ranges.push_back(range);
    }
  }
  return ranges;
}

}  // namespace

struct Fib::Impl {
  Impl(Qsbr& qsbr_of_readers, unsigned max_tables)
      : qsbr{qsbr_of_readers}, max_extension_tables{max_tables} {}

  Qsbr& qsbr;
  const unsigned max_extension_tables;
  Shadow shadow;
  // One of the two.
  std::unique_ptr<Layout<Narrow>> narrow;
  std::unique_ptr<Layout<Wide>> wide;
  unsigned extension_tables = 0;

  [[nodiscard]] bool is_extended(std::uint32_t block) const noexcept {
    return wide != nullptr ? wide->is_extended(block) : narrow->is_extended(block);
  }
  [[nodiscard]] std::size_t tables_needed(std::span<const PackedRoute> changes) const noexcept;
  [[nodiscard]] bool outgrows_narrow(std::span<const PackedRoute> changes, std::size_t needed) const noexcept;
  [[nodiscard]] std::string no_room(std::size_t needed, std::size_t available) const;
  template <typename Format>
  [[nodiscard]] auto update(Layout<Format>& layout, std::span<const PackedRoute> changes, std::size_t needed)
      -> tl::expected<void, std::string>;
  [[nodiscard]] auto widen() -> tl::expected<void, std::string>;
  template <typename Format>
  void render(Layout<Format>& layout, std::span<const base::Prefix> ranges);
};

// How many blocks will newly have a prefix longer than /24; the shadow already has the changes.
std::size_t Fib::Impl::tables_needed(std::span<const PackedRoute> changes) const noexcept {
  std::size_t needed = 0;
  std::uint32_t counted = blocks;  // none yet
  for (const PackedRoute change : changes) {
    const std::uint32_t block = change.address() >> 8;
    if (change.length() > 24 && block != counted) {
      counted = block;
      needed += !is_extended(block) && shadow.has_longer_than_24(block);
    }
  }
  return needed;
}

bool Fib::Impl::outgrows_narrow(std::span<const PackedRoute> changes, std::size_t needed) const noexcept {
  return extension_tables + needed > most_narrow_extension_tables ||
         std::ranges::any_of(changes, [](PackedRoute change) { return change.value() > Narrow::max_value; });
}

std::string Fib::Impl::no_room(std::size_t needed, std::size_t available) const {
  if (needed > available) {
    return fmt::format(
        "prefixes longer than /24 need {} more extension tables (one for each /24 that has any), {} of {} "
        "are free",
        needed, available, max_extension_tables);
  }
  return fmt::format("no memory for {} more extension tables", needed);
}

template <typename Format>
void Fib::Impl::render(Layout<Format>& layout, std::span<const base::Prefix> ranges) {
  Renderer renderer{shadow, layout};
  for (const base::Prefix range : ranges) {
    renderer.render(range);
  }
  auto& retired = renderer.retired();
  extension_tables += renderer.taken();
  extension_tables -= static_cast<unsigned>(retired.size());
  if (!retired.empty()) {
    qsbr.retire([tables = layout.free_tables(), returned = std::move(retired)] {
      tables->returned.insert(tables->returned.end(), returned.begin(), returned.end());
    });
  }
}

template <typename Format>
auto Fib::Impl::update(Layout<Format>& layout, std::span<const PackedRoute> changes, std::size_t needed)
    -> tl::expected<void, std::string> {
  if (needed > layout.free_tables()->count()) {
    qsbr.poll();
  }
  if (!layout.provide_extension_tables(needed)) {
    return tl::unexpected(no_room(needed, layout.free_tables()->count()));
  }
  render(layout, disjoint_ranges(changes));
  return {};
}

// Builds the wide layout of all that the shadow says. Readers have the narrow one until they are told.
auto Fib::Impl::widen() -> tl::expected<void, std::string> {
  std::size_t needed = 0;
  std::uint32_t counted = blocks;  // none yet
  shadow.sweep(base::Prefix{}, [&](PackedRoute route) {
    const std::uint32_t block = route.address() >> 8;
    needed += route.length() > 24 && block != counted;
    counted = route.length() > 24 ? block : counted;
  });
  auto layout = Layout<Wide>::create(max_extension_tables);
  if (layout == nullptr) {
    return tl::unexpected(fmt::format("no memory for a routing table of 16-bit entries: {} MiB",
                                      Layout<Wide>::dense_bytes() >> 20));
  }
  if (!layout->provide_extension_tables(needed)) {
    return tl::unexpected(no_room(needed, layout->free_tables()->count()));
  }
  extension_tables = 0;
  render(*layout, std::array{base::Prefix{}});
  wide = std::move(layout);
  return {};
}

Fib::Fib(std::unique_ptr<Impl> impl) noexcept : narrow_{impl->narrow->view()}, impl_{std::move(impl)} {}

Fib::~Fib() = default;

auto Fib::create(Qsbr& qsbr, Options options) -> tl::expected<std::unique_ptr<Fib>, std::string> {
  if (options.max_extension_tables > most_extension_tables) {
    return tl::unexpected(fmt::format("{} extension tables are more than an entry can name ({})",
                                      options.max_extension_tables, most_extension_tables));
  }
  auto impl = std::make_unique<Impl>(qsbr, options.max_extension_tables);
  impl->narrow = Layout<Narrow>::create(options.max_extension_tables);
  if (impl->narrow == nullptr) {
    return tl::unexpected(fmt::format("no memory for a routing table: {} MiB could not be mapped",
                                      Layout<Narrow>::dense_bytes() >> 20));
  }
  return std::unique_ptr<Fib>{new Fib{std::move(impl)}};
}

Value Fib::lookup(std::uint32_t address) const noexcept {
  Value value;
  lookup_bulk(&address, &value, 1);
  return value;
}

void Fib::lookup_bulk(const std::uint32_t* addresses, Value* values, unsigned count) const noexcept {
  if (const View<Wide>* const wide = wide_.load(std::memory_order_acquire)) {
    fib::lookup_bulk(*wide, addresses, values, count);
  } else {
    fib::lookup_bulk(narrow_, addresses, values, count);
  }
}

auto Fib::apply(std::span<const Route> changes) -> tl::expected<void, std::string> {
  for (const Route& change : changes) {
    if (change.prefix.length > 32) {
      return tl::unexpected(
          fmt::format("{} is not a prefix: its length is above 32", to_string(change.prefix)));
    }
    if ((change.prefix.address & ~change.prefix.mask()) != 0) {
      return tl::unexpected(fmt::format("{} is not a prefix: host bits are set", to_string(change.prefix)));
    }
    if (change.value > max_value) {
      return tl::unexpected(fmt::format("{}: there is no next-hop index {} (the highest is {})",
                                        to_string(change.prefix), change.value, max_value));
    }
  }
  auto sorted = sorted_changes(changes);
  const auto undo = impl_->shadow.apply(sorted);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].value() != undo[i].value()) {
      sorted[kept++] = sorted[i];
    }
  }
  sorted.resize(kept);

  // Nothing that workers read is touched before it is certain that all of it will succeed.
  const std::size_t needed = impl_->tables_needed(sorted);
  tl::expected<void, std::string> done;
  if (impl_->wide != nullptr) {
    done = impl_->update(*impl_->wide, sorted, needed);
  } else if (!impl_->outgrows_narrow(sorted, needed)) {
    done = impl_->update(*impl_->narrow, sorted, needed);
  } else if (done = impl_->widen(); done) {
    wide_.store(&impl_->wide->view(), std::memory_order_release);
    impl_->qsbr.retire([narrow = std::shared_ptr{std::move(impl_->narrow)}] {});
  }
  if (!done) {
    impl_->shadow.apply(undo);
  }
  return done;
}

std::optional<Value> Fib::find(base::Prefix prefix) const {
  return impl_->shadow.find(prefix);
}

std::optional<Route> Fib::longest_match(std::uint32_t address) const {
  const auto match = impl_->shadow.match(address, 0, 32);
  if (!match) {
    return std::nullopt;
  }
  return Route{.prefix = match->prefix(), .value = match->value()};
}

std::vector<Route> Fib::covering(std::uint32_t address) const {
  std::vector<Route> routes;
  for (int length = 0; length <= 32; ++length) {
    if (const auto match = impl_->shadow.match(address, length, length)) {
      routes.push_back({.prefix = match->prefix(), .value = match->value()});
    }
  }
  return routes;
}

void Fib::for_each(const std::function<void(const Route&)>& visit) const {
  impl_->shadow.sweep(base::Prefix{},
                      [&](PackedRoute route) { visit({.prefix = route.prefix(), .value = route.value()}); });
}

std::size_t Fib::size() const noexcept {
  return impl_->shadow.size();
}

auto Fib::memory() const noexcept -> Memory {
  const auto bytes = [this](std::size_t dense, std::size_t entry) {
    return dense + impl_->extension_tables * extension_entries * entry;
  };
  const bool wide = impl_->wide != nullptr;
  return {.table_bytes = wide ? bytes(Layout<Wide>::dense_bytes(), sizeof(Wide::Entry))
                              : bytes(Layout<Narrow>::dense_bytes(), sizeof(Narrow::Entry)),
          .shadow_bytes = impl_->shadow.bytes(),
          .extension_tables = impl_->extension_tables,
          .max_extension_tables = impl_->max_extension_tables,
          .entry_bits = wide ? 16U : 8U};
}

}  // namespace sekisho::fib
