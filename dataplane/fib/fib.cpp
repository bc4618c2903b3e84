#include "dataplane/fib/fib.hpp"

#include <fmt/format.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "dataplane/fib/shadow.hpp"

namespace sekisho::fib {
namespace {

constexpr std::size_t blocks = std::size_t{1} << 24;  // a block is a /24: one entry of tbl24
constexpr std::size_t table_entries = 256;
constexpr std::uint16_t extended = 0x8000;
constexpr unsigned most_extension_tables = 0x8000;

// Acquire and release: who reads a new index must also see what the writer made it mean before. Free on x86.
std::uint16_t load(const std::uint16_t& entry) noexcept {
  return std::atomic_ref{const_cast<std::uint16_t&>(entry)}.load(std::memory_order_acquire);
}
void store(std::uint16_t& entry, std::uint16_t value) noexcept {
  std::atomic_ref{entry}.store(value, std::memory_order_release);
}

// Zeroed entries, straight from the kernel: what is never touched costs nothing.
class Mapping {
 public:
  Mapping() = default;
  ~Mapping() {
    if (base_ != MAP_FAILED) {
      munmap(base_, size_);
    }
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // Random lookups in 32 MiB of 4 KiB pages miss the TLB nearly every time.
  bool map_huge(std::size_t size) noexcept {
    constexpr std::size_t huge_page = std::size_t{2} << 20;
    if (map(size, MAP_HUGETLB | MAP_HUGE_2MB)) {
      return true;
    }
    // Transparent huge pages start at a multiple of their size, and a mapping does not always.
    if (!map(size + huge_page, 0)) {
      return false;
    }
    const auto address = reinterpret_cast<std::uintptr_t>(base_);
    const std::uintptr_t aligned = (address + huge_page - 1) & ~(huge_page - 1);
    entries_ = reinterpret_cast<std::uint16_t*>(aligned);
    madvise(entries_, size, MADV_HUGEPAGE);
    return true;
  }
  bool map_sparse(std::size_t size) noexcept { return map(size, MAP_NORESERVE); }

  [[nodiscard]] std::uint16_t* entries() const noexcept { return entries_; }

 private:
  bool map(std::size_t size, int flags) noexcept {
    base_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    size_ = size;
    entries_ = static_cast<std::uint16_t*>(base_);
    return base_ != MAP_FAILED;
  }

  void* base_ = MAP_FAILED;
  std::size_t size_ = 0;
  std::uint16_t* entries_ = nullptr;
};

// Which extension tables may be written. Given back ones come first, so that no more memory is touched than
// needed.
struct FreeTables {
  std::vector<std::uint16_t> returned;
  unsigned untouched = 0;  // this one and all behind it
  unsigned max = 0;

  [[nodiscard]] std::size_t count() const noexcept { return returned.size() + (max - untouched); }
  std::uint16_t take() noexcept {
    if (returned.empty()) {
      return static_cast<std::uint16_t>(untouched++);
    }
    const std::uint16_t table = returned.back();
    returned.pop_back();
    return table;
  }
};

// Changes sorted by prefix, the last one of each.
auto sorted_changes(std::span<const Route> changes) -> std::vector<PackedRoute> {
  const auto by_key = [](PackedRoute left, PackedRoute right) { return left.key() < right.key(); };
  std::vector<PackedRoute> sorted;
  sorted.reserve(changes.size());
  for (const Route& change : changes) {
    sorted.emplace_back(change.prefix, change.next_hop);
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
auto disjoint_ranges(std::span<const PackedRoute> changes) -> std::vector<Prefix> {
  std::vector<Prefix> ranges;
  for (const PackedRoute change : changes) {
    Prefix range = change.prefix();
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
  explicit Impl(Qsbr& qsbr_of_readers) : qsbr{qsbr_of_readers} {}

  Qsbr& qsbr;
  Mapping tbl24;
  Mapping tbl8;
  Shadow shadow;
  // Shared with what is pending in the Qsbr, which may run when the table is gone.
  std::shared_ptr<FreeTables> free_tables = std::make_shared<FreeTables>();
  unsigned extension_tables = 0;

  [[nodiscard]] std::size_t tables_needed(std::span<const PackedRoute> changes) const noexcept;
  void render(std::span<const Prefix> ranges);
};

// How many blocks will newly have a prefix longer than /24; the shadow already has the changes.
std::size_t Fib::Impl::tables_needed(std::span<const PackedRoute> changes) const noexcept {
  std::size_t needed = 0;
  std::uint32_t counted = blocks;  // none yet
  for (const PackedRoute change : changes) {
    const std::uint32_t block = change.address() >> 8;
    if (change.length() > 24 && block != counted) {
      counted = block;
      needed += (load(tbl24.entries()[block]) & extended) == 0 && shadow.has_longer_than_24(block);
    }
  }
  return needed;
}

namespace {

// Stores the final value of every entry, each once. A range is swept in the order of its prefixes with a
// stack of those that cover the current block.
class Renderer {
 public:
  Renderer(const Shadow& shadow, std::uint16_t* tbl24, std::uint16_t* tbl8, FreeTables& free_tables) noexcept
      : shadow_{shadow}, tbl24_{tbl24}, tbl8_{tbl8}, free_tables_{free_tables} {}

  void render(Prefix range) {
    depth_ = 0;
    push(range.last(), parent_next_hop(range));
    block_ = range.address >> 8;
    shadow_.sweep(range, [this](PackedRoute route) {
      if (route.length() <= 24) {
        finish_extended_block();
        fill_until(route.address() >> 8);
        push(route.prefix().last(), route.next_hop());
      } else {
        paint(route);
      }
    });
    finish_extended_block();
    fill_until((range.last() >> 8) + 1);
  }

  // Extension tables that no entry leads to any more.
  [[nodiscard]] std::vector<std::uint16_t>& retired() noexcept { return retired_; }
  [[nodiscard]] unsigned taken() const noexcept { return taken_; }

 private:
  struct Covering {
    std::uint32_t last_block;
    NextHopIndex next_hop;
  };

  // Neighbouring ranges mostly share the prefix shorter than /16 that covers them.
  NextHopIndex parent_next_hop(Prefix range) noexcept {
    constexpr int upper_length = 16;
    if (range.length < upper_length) {
      const auto parent = shadow_.match(range.address, 0, range.length - 1);
      return parent ? parent->next_hop() : no_route;
    }
    if (const auto parent = shadow_.match(range.address, upper_length, range.length - 1)) {
      return parent->next_hop();
    }
    const std::uint32_t upper = range.address >> upper_length;
    if (upper != cached_upper_) {
      const auto parent = shadow_.match(range.address, 0, upper_length - 1);
      cached_upper_ = upper;
      cached_next_hop_ = parent ? parent->next_hop() : no_route;
    }
    return cached_next_hop_;
  }

  void push(std::uint32_t last, NextHopIndex next_hop) noexcept {
    pop_ended();
    covering_[depth_++] = {.last_block = last >> 8, .next_hop = next_hop};
  }

  void pop_ended() noexcept {
    while (depth_ > 1 && covering_[depth_ - 1].last_block < block_) {
      --depth_;
    }
  }

  // What covers the current block.
  Covering top() noexcept {
    pop_ended();
    return covering_[depth_ - 1];
  }

  void fill_until(std::uint32_t end) {
    while (block_ < end) {
      const Covering covering = top();
      const std::uint32_t run_end = std::min(end, covering.last_block + 1);
      for (; block_ < run_end; ++block_) {
        set_entry(covering.next_hop);
      }
    }
  }

  void set_entry(std::uint16_t value) {
    std::uint16_t& entry = tbl24_[block_];
    const std::uint16_t old = load(entry);
    if (old == value) {
      return;
    }
    store(entry, value);
    if ((old & extended) != 0) {
      retired_.push_back(old & ~extended);
    }
  }

  void paint(PackedRoute route) {
    if (!painting_) {
      fill_until(route.address() >> 8);
      painted_.fill(top().next_hop);
      painting_ = true;
    } else if (route.address() >> 8 != block_) {
      finish_extended_block();
      paint(route);
      return;
    }
    const auto first = painted_.begin() + (route.address() & 0xff);
    std::fill_n(first, std::size_t{1} << (32 - route.length()), route.next_hop());
  }

  void finish_extended_block() {
    if (!painting_) {
      return;
    }
    painting_ = false;
    const std::uint16_t old = load(tbl24_[block_]);
    if ((old & extended) != 0) {
      std::uint16_t* const table = tbl8_ + std::size_t(old & ~extended) * table_entries;
      for (std::size_t i = 0; i < table_entries; ++i) {
        if (load(table[i]) != painted_[i]) {
          store(table[i], painted_[i]);
        }
      }
    } else {
      // Nobody sees the table before the entry that leads to it.
      const std::uint16_t number = free_tables_.take();
      ++taken_;
      std::uint16_t* const table = tbl8_ + std::size_t{number} * table_entries;
      for (std::size_t i = 0; i < table_entries; ++i) {
        store(table[i], painted_[i]);
      }
      set_entry(extended | number);
    }
    ++block_;
  }

  const Shadow& shadow_;
  std::uint16_t* tbl24_;
  std::uint16_t* tbl8_;
  FreeTables& free_tables_;
  std::vector<std::uint16_t> retired_;
  unsigned taken_ = 0;
  std::uint32_t block_ = 0;            // the next one to be written
  std::array<Covering, 26> covering_;  // the parent, then lengths 0 to 24
  std::size_t depth_ = 0;
  bool painting_ = false;
  std::array<NextHopIndex, table_entries> painted_;  // final values of the current block
  std::uint32_t cached_upper_ = blocks;              // none yet
  NextHopIndex cached_next_hop_ = no_route;
};

}  // namespace

void Fib::Impl::render(std::span<const Prefix> ranges) {
  Renderer renderer{shadow, tbl24.entries(), tbl8.entries(), *free_tables};
  for (const Prefix range : ranges) {
    renderer.render(range);
  }
  auto& retired = renderer.retired();
  extension_tables += renderer.taken();
  extension_tables -= static_cast<unsigned>(retired.size());
  if (!retired.empty()) {
    qsbr.retire([tables = free_tables, returned = std::move(retired)] {
      tables->returned.insert(tables->returned.end(), returned.begin(), returned.end());
    });
  }
}

Fib::Fib(std::unique_ptr<Impl> impl) noexcept
    : tbl24_{impl->tbl24.entries()}, tbl8_{impl->tbl8.entries()}, impl_{std::move(impl)} {}

Fib::~Fib() = default;

auto Fib::create(Qsbr& qsbr, Options options) -> tl::expected<std::unique_ptr<Fib>, std::string> {
  if (options.max_extension_tables > most_extension_tables) {
    return tl::unexpected(fmt::format("{} extension tables are more than an entry can name ({})",
                                      options.max_extension_tables, most_extension_tables));
  }
  auto impl = std::make_unique<Impl>(qsbr);
  impl->free_tables->max = options.max_extension_tables;
  constexpr std::size_t tbl24_bytes = blocks * sizeof(std::uint16_t);
  const std::size_t tbl8_bytes =
      std::max(1U, options.max_extension_tables) * table_entries * sizeof(std::uint16_t);
  if (!impl->tbl24.map_huge(tbl24_bytes) || !impl->tbl8.map_sparse(tbl8_bytes)) {
    return tl::unexpected(fmt::format("no memory for a routing table: {} MiB could not be mapped",
                                      (tbl24_bytes + tbl8_bytes) >> 20));
  }
  return std::unique_ptr<Fib>{new Fib{std::move(impl)}};
}

NextHopIndex Fib::lookup(std::uint32_t address) const noexcept {
  const std::uint16_t entry = load(tbl24_[address >> 8]);
  if ((entry & extended) == 0) [[likely]] {
    return entry;
  }
  return load(tbl8_[std::size_t(entry & ~extended) * table_entries + (address & 0xff)]);
}

void Fib::lookup_bulk(const std::uint32_t* addresses, NextHopIndex* next_hops,
                      unsigned count) const noexcept {
  for (unsigned i = 0; i < count; ++i) {
    __builtin_prefetch(&tbl24_[addresses[i] >> 8]);
  }
  for (unsigned i = 0; i < count; ++i) {
    next_hops[i] = lookup(addresses[i]);
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
    if (change.next_hop > max_next_hop) {
      return tl::unexpected(fmt::format("{}: there is no next-hop index {} (the highest is {})",
                                        to_string(change.prefix), change.next_hop, max_next_hop));
    }
  }
  auto sorted = sorted_changes(changes);
  const auto undo = impl_->shadow.apply(sorted);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i].next_hop() != undo[i].next_hop()) {
      sorted[kept++] = sorted[i];
    }
  }
  sorted.resize(kept);

  // Nothing that workers read is touched before it is certain that all of it will succeed.
  const std::size_t needed = impl_->tables_needed(sorted);
  if (needed > impl_->free_tables->count()) {
    impl_->qsbr.poll();
  }
  if (const std::size_t available = impl_->free_tables->count(); needed > available) {
    impl_->shadow.apply(undo);
    return tl::unexpected(
        fmt::format("prefixes longer than /24 need {} more extension tables (one for each /24 that has any), "
                    "{} of {} are free",
                    needed, available, impl_->free_tables->max));
  }
  impl_->render(disjoint_ranges(sorted));
  return {};
}

std::optional<NextHopIndex> Fib::find(Prefix prefix) const {
  return impl_->shadow.find(prefix);
}

std::optional<Route> Fib::longest_match(std::uint32_t address) const {
  const auto match = impl_->shadow.match(address, 0, 32);
  if (!match) {
    return std::nullopt;
  }
  return Route{.prefix = match->prefix(), .next_hop = match->next_hop()};
}

std::vector<Route> Fib::covering(std::uint32_t address) const {
  std::vector<Route> routes;
  for (int length = 0; length <= 32; ++length) {
    if (const auto match = impl_->shadow.match(address, length, length)) {
      routes.push_back({.prefix = match->prefix(), .next_hop = match->next_hop()});
    }
  }
  return routes;
}

void Fib::for_each(const std::function<void(const Route&)>& visit) const {
  impl_->shadow.sweep(
      Prefix{}, [&](PackedRoute route) { visit({.prefix = route.prefix(), .next_hop = route.next_hop()}); });
}

std::size_t Fib::size() const noexcept {
  return impl_->shadow.size();
}

auto Fib::memory() const noexcept -> Memory {
  return {.table_bytes = (blocks + impl_->extension_tables * table_entries) * sizeof(std::uint16_t),
          .shadow_bytes = impl_->shadow.bytes(),
          .extension_tables = impl_->extension_tables,
          .max_extension_tables = impl_->free_tables->max};
}

}  // namespace sekisho::fib
