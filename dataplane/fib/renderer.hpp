// SPDX-License-Identifier: BSD-3-Clause
// From the shadow's prefixes to a layout's entries.
//
// The problem: readers look while the writer works, and for each address they may see the answer from before a
// transaction or from after it, never a third. Painting prefixes one over the other, shortest first, as DIR-24-8 is
// usually described, shows them the parent's answer between two right ones. So a range is swept in the order of its
// prefixes with a stack of those that cover the current block, and each entry is stored once, with its final value.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/fib/layout.hpp"
#include "dataplane/fib/shadow.hpp"

namespace sekisho::fib {

template <typename Format>
class Renderer {
 public:
  using Entry = typename Format::Entry;

  Renderer(const Shadow& shadow, Layout<Format>& layout) noexcept
      : shadow_{shadow}, layout_{layout}, tbl24_{layout.tbl24()} {}

  // All that the shadow says about `range`, which is not longer than /24. The layout can provide an extension
  // table for each block that will newly need one.
  void render(base::Prefix range) {
    depth_ = 0;
    block_ = range.address >> 8;
    push(range.last(), parent_value(range));
    shadow_.sweep(range, [this](PackedRoute route) {
      if (route.length() <= 24) {
        finish_extended_block();
        fill_until(route.address() >> 8);
        push(route.prefix().last(), route.value());
      } else {
        paint(route);
      }
    });
    finish_extended_block();
    fill_until((range.last() >> 8) + 1);
    layout_.summarize(range.address >> 8, range.last() >> 8);
  }

  // Extension tables that no entry leads to any more.
  [[nodiscard]] std::vector<std::uint16_t>& retired() noexcept { return retired_; }
  [[nodiscard]] unsigned taken() const noexcept { return taken_; }

 private:
  struct Covering {
    std::uint32_t last_block;
    Entry entry;
  };
  static constexpr std::size_t entries_per_word = sizeof(std::uint64_t) / sizeof(Entry);

  // Neighbouring ranges mostly share the prefix shorter than /16 that covers them.
  Value parent_value(base::Prefix range) noexcept {
    constexpr int upper_length = 16;
    if (range.length < upper_length) {
      const auto parent = shadow_.match(range.address, 0, range.length - 1);
      return parent ? parent->value() : no_route;
    }
    if (const auto parent = shadow_.match(range.address, upper_length, range.length - 1)) {
      return parent->value();
    }
    const std::uint32_t upper = range.address >> upper_length;
    if (upper != cached_upper_) {
      const auto parent = shadow_.match(range.address, 0, upper_length - 1);
      cached_upper_ = upper;
      cached_value_ = parent ? parent->value() : no_route;
    }
    return cached_value_;
  }

  void push(std::uint32_t last, Value value) noexcept {
    pop_ended();
    covering_[depth_++] = {.last_block = last >> 8, .entry = static_cast<Entry>(value)};
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
      fill(run_end, covering.entry);
    }
  }

  // Words where there is room: a /1 is eight million entries. Each entry of a word changes in one piece.
  void fill(std::uint32_t end, Entry entry) {
    std::uint64_t pattern = 0;
    for (std::size_t i = 0; i < entries_per_word; ++i) {
      pattern |= std::uint64_t{entry} << (8 * sizeof(Entry) * i);
    }
    while (block_ < end) {
      if (block_ % entries_per_word != 0 || end - block_ < entries_per_word) {
        set_entry(block_++, entry);
        continue;
      }
      auto& word = reinterpret_cast<std::uint64_t&>(tbl24_[block_]);
      const std::uint64_t old = load(word);
      if (old == pattern) {
        block_ += entries_per_word;
      } else if (!Format::any_leads_on(old)) {
        store(word, pattern);
        block_ += entries_per_word;
      } else {
        for (std::size_t i = 0; i < entries_per_word; ++i) {
          set_entry(block_++, entry);
        }
      }
    }
  }

  void set_entry(std::uint32_t block, Entry entry) {
    const Entry old = load(tbl24_[block]);
    if (old == entry) {
      return;
    }
    store(tbl24_[block], entry);
    if (Format::leads_on(old)) {
      retired_.push_back(static_cast<std::uint16_t>(layout_.view().extension(block, old)));
    }
  }

  void paint(PackedRoute route) {
    if (painting_ && route.address() >> 8 != block_) {
      finish_extended_block();
    }
    if (!painting_) {
      fill_until(route.address() >> 8);
      painted_.fill(top().entry);
      painting_ = true;
    }
    const auto first = painted_.begin() + (route.address() & 0xff);
    std::fill_n(first, std::size_t{1} << (32 - route.length()), static_cast<Entry>(route.value()));
  }

  void finish_extended_block() {
    if (!painting_) {
      return;
    }
    painting_ = false;
    const bool extended = layout_.is_extended(block_);
    const unsigned number =
        extended ? layout_.view().extension(block_, tbl24_[block_]) : layout_.take_extension_table();
    Entry* const table = layout_.extension_table(number);
    for (std::size_t i = 0; i < extension_entries; ++i) {
      if (load(table[i]) != painted_[i]) {
        store(table[i], painted_[i]);
      }
    }
    if (!extended) {
      ++taken_;
      layout_.lead_to(block_, number);
    }
    ++block_;
  }

  const Shadow& shadow_;
  Layout<Format>& layout_;
  Entry* const tbl24_;
  std::vector<std::uint16_t> retired_;
  unsigned taken_ = 0;
  std::uint32_t block_ = 0;            // the next one to be written
  std::array<Covering, 26> covering_;  // the parent, then lengths 0 to 24
  std::size_t depth_ = 0;
  bool painting_ = false;
  std::array<Entry, extension_entries> painted_;  // final values of the current block
  std::uint32_t cached_upper_ = blocks;           // none yet
  Value cached_value_ = no_route;
};

}  // namespace sekisho::fib
