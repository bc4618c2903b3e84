// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/fib/layout.hpp"

#include <algorithm>

namespace sekisho::fib {

template <typename Format>
auto Layout<Format>::create(unsigned max_extension_tables) -> std::unique_ptr<Layout> {
  std::unique_ptr<Layout> layout{new Layout};
  const std::size_t tbl8_bytes = max_extension_tables * extension_entries * sizeof(Entry) + read_ahead;
  if (!layout->dense_.reserve(dense_bytes() + read_ahead) ||
      !layout->dense_.grow_to(dense_bytes() + read_ahead) || !layout->tbl8_.reserve(tbl8_bytes)) {
    return nullptr;
  }
  if constexpr (Format::separate_extensions) {
    if (!layout->extensions_.reserve(blocks * sizeof(std::uint16_t) + read_ahead) ||
        !layout->extensions_.open_sparsely()) {
      return nullptr;
    }
  }
  layout->free_->max = max_extension_tables;
  layout->view_ = {.shortcut = layout->dense_.template as<Entry>(),
                   .tbl24 = layout->tbl24(),
                   .tbl8 = layout->tbl8_.template as<Entry>(),
                   .extensions = layout->extensions_.template as<std::uint16_t>()};
  return layout;
}

template <typename Format>
bool Layout<Format>::provide_extension_tables(std::size_t count) noexcept {
  if (count > free_->count()) {
    return false;
  }
  const std::size_t untouched = count - std::min(count, free_->returned.size());
  return untouched == 0 ||
         tbl8_.grow_to((free_->untouched + untouched) * extension_entries * sizeof(Entry) + read_ahead);
}

template <typename Format>
void Layout<Format>::lead_to(std::uint32_t block, unsigned table) noexcept {
  if constexpr (Format::separate_extensions) {
    store(extensions_.template as<std::uint16_t>()[block], static_cast<std::uint16_t>(table));
    store(tbl24()[block], Format::on);
  } else {
    store(tbl24()[block], static_cast<Entry>(Format::on | table));
  }
}

template <typename Format>
auto Layout<Format>::summary(std::uint32_t shortcut) const noexcept -> Entry {
  const Entry* const group = view_.tbl24 + std::size_t{shortcut} * blocks_per_shortcut;
  const Entry first = group[0];
  if (Format::leads_on(first)) {
    return Format::on;
  }
  unsigned different = 0;
  for (unsigned i = 1; i < blocks_per_shortcut; ++i) {
    different |= group[i] ^ first;
  }
  return different == 0 ? first : Format::on;
}

template <typename Format>
void Layout<Format>::summarize(std::uint32_t first_block, std::uint32_t last_block) noexcept {
  auto* const entries = dense_.template as<Entry>();
  for (std::uint32_t i = first_block / blocks_per_shortcut; i <= last_block / blocks_per_shortcut; ++i) {
    if (const Entry now = summary(i); now != entries[i]) {
      store(entries[i], now);
    }
  }
}

template class Layout<Narrow>;
template class Layout<Wide>;

}  // namespace sekisho::fib
