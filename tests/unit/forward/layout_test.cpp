// SPDX-License-Identifier: BSD-3-Clause
// No cache line is written by two workers, nor one of the pair that CPUs fetch together: held against the memory that is really
// asked for, so that whatever a worker is given later is held against it, too.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <set>
#include <utility>
#include <vector>

#include "common/base/apart.hpp"
#include "dataplane/fib/qsbr.hpp"
#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/worker.hpp"
#include "dataplane/forward/worker_data.hpp"

namespace {

struct Block {
  void* begin;
  std::size_t size;
  std::size_t alignment;
};
std::vector<Block>* asked_for = nullptr;  // while somebody wants to know

void* note(void* memory, std::size_t size, std::size_t alignment) {
  if (memory == nullptr) {
    throw std::bad_alloc{};
  }
  if (auto* const blocks = std::exchange(asked_for, nullptr)) {  // the list's own memory is not of interest
    blocks->push_back({memory, size, alignment});
    asked_for = blocks;
  }
  return memory;
}

}  // namespace

void* operator new(std::size_t size) {
  return note(std::malloc(size), size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto at = static_cast<std::size_t>(alignment);
  return note(std::aligned_alloc(at, (size + at - 1) / at * at), size, at);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
// The library's, which Qsbr asks.
extern "C" int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory =
      note(std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment), size, alignment);
  return 0;
}

namespace sekisho::forward {
namespace {

using base::apart;

template <typename Make>
std::vector<Block> blocks_of(Make make) {
  std::vector<Block> blocks;
  blocks.reserve(64);
  asked_for = &blocks;
  const auto made = make();
  asked_for = nullptr;
  return blocks;
}

void expect_own_lines(const std::vector<Block>& blocks) {
  EXPECT_FALSE(blocks.empty());
  for (const auto& block : blocks) {
    EXPECT_GE(block.alignment, apart)
        << "a block of " << block.size << " bytes begins on a line of another's";
    EXPECT_EQ(block.size % apart, 0U) << "a block of " << block.size << " bytes ends on a line of another's";
  }
}

TEST(Layout, AWorkerHasItsLinesForItself) {
  fib::Qsbr qsbr{1};
  expect_own_lines(
      blocks_of([&] { return std::make_unique<Worker>(qsbr, Worker::Options{.patience_ms = 1}); }));
}

// All of them in one array, with what is theirs.
TEST(Layout, WhatAWorkerCapturesInto) {
  const auto blocks = blocks_of([] {
    Capture::Options options{.workers = max_workers, .snap_length = 64};
    options.wanted.fill(true);
    return Capture::create(options).value();
  });
  std::vector<Block> of_workers;
  for (const auto& block : blocks) {
    if (block.alignment > __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
      of_workers.push_back(block);
    }
  }
  // What the reader has, and the workers only read: the capture itself.
  EXPECT_LE(blocks.size() - of_workers.size(), 1U);
  expect_own_lines(of_workers);
  EXPECT_EQ(of_workers.front().size % (max_workers * apart), 0U);
}

// Which bytes change when a reader reports.
TEST(Layout, AReaderReportsOnLinesOfItsOwn) {
  std::vector<Block> blocks;
  blocks.reserve(64);
  asked_for = &blocks;
  fib::Qsbr qsbr{max_workers};
  asked_for = nullptr;
  const auto counters =
      std::find_if(blocks.begin(), blocks.end(), [](const Block& block) { return block.alignment >= apart; });
  ASSERT_NE(counters, blocks.end());
  const auto* const bytes = static_cast<const unsigned char*>(counters->begin);
  const auto changed_by = [&](auto act) {
    const std::vector<unsigned char> before(bytes, bytes + counters->size);
    act();
    std::set<std::size_t> lines;
    for (std::size_t at = 0; at < counters->size; ++at) {
      if (bytes[at] != before[at]) {
        lines.insert(at / apart);
      }
    }
    return lines;
  };
  std::set<std::size_t> taken = changed_by([&] {
    qsbr.retire([] {});
    qsbr.poll();
  });
  EXPECT_FALSE(taken.empty()) << "the writer's own";
  for (unsigned reader = 0; reader < max_workers; ++reader) {
    auto lines = changed_by([&] { qsbr.online(reader); });
    qsbr.retire([] {});
    lines.merge(changed_by([&] { qsbr.quiescent(reader); }));
    qsbr.poll();
    EXPECT_EQ(lines.size(), 1U);
    for (const auto line : lines) {
      EXPECT_TRUE(taken.insert(line).second) << "reader " << reader << " writes what another one does";
    }
  }
  for (unsigned reader = 0; reader < max_workers; ++reader) {
    qsbr.offline(reader);
  }
}

}  // namespace
}  // namespace sekisho::forward
