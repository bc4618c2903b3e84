// SPDX-License-Identifier: BSD-3-Clause
// Transactions that find no memory: wherever an allocation fails, either all of it is done or nothing is.
#include <fmt/format.h>

#include <cstdlib>
#include <new>
#include <optional>

#include "common/base/memory_reserve.hpp"
#include "tests/unit/writer/writer_fixture.hpp"

namespace {

constexpr long never = -1;
thread_local long allocations_left = never;  // until one fails
thread_local long allocations = 0;

}  // namespace

// As the library's, and fails when the test wants it to.
void* operator new(std::size_t size) {
  ++allocations;
  if (allocations_left > 0) {
    --allocations_left;
  }
  while (allocations_left == 0) {
    const auto handler = std::get_new_handler();
    if (handler == nullptr) {
      allocations_left = never;
      throw std::bad_alloc{};
    }
    allocations_left = never;
    handler();
  }
  if (void* const memory = std::malloc(size)) {
    return memory;
  }
  throw std::bad_alloc{};
}
// What the library's own would call is ours; AddressSanitizer's would not, and what it gives is not std::free()'s to take.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace sekisho::writer::test {
namespace {

class MemoryTest : public WriterTest {
 protected:
  ~MemoryTest() override { std::set_new_handler(nullptr); }

  // Everything that the transactions below may change.
  std::string everything() {
    auto state = writer.state();
    state.clear_transaction();
    for (auto& table : *state.mutable_tables()) {
      table.clear_memory_bytes();  // what was taken for the attempt may be kept
    }
    return state.DebugString() + answer("172.16.0.1", "1.1.1.1") + answer("172.16.0.1", "8.8.8.8") +
           answer("172.16.0.1", "9.9.9.9") + answer("10.1.0.1", "8.8.8.8");
  }

  // Another zone, a next hop more and one changed, routes of a zone that is there.
  static std::vector<ipc::Change> another() {
    return {parse(R"(
              next_hops { name: "both" members { port: "egress" address: @10.0.2.10 }
                                       members { port: "egress" address: @10.0.2.11 } }
              next_hops { name: "gw" members { port: "egress" address: @10.0.2.10 } }
              zones { name: "vnet" ports: "lan" sources { address: @10.1.0.0 length: 16 } })"),
            routes("onprem", {{"9.9.9.0/24", "both"}, {"8.8.8.8/32", "fw"}}),
            routes("vnet", {{"0.0.0.0/0", "both"}})};
  }
  static std::vector<ipc::Change> back() {
    return {withdraw("onprem", {"9.9.9.0/24", "8.8.8.8/32"}),
            parse(R"(remove_zones: "vnet" remove_next_hops: "both"
                     next_hops { name: "gw" members { port: "egress" address: @10.0.2.11 } })")};
  }

  // Fails the allocation of that number in a commit; empty: there are fewer.
  auto commit_without(long number) -> std::optional<tl::expected<ipc::Committed, std::string>> {
    auto transaction = writer.begin(false);
    for (const auto& change : another()) {
      EXPECT_TRUE(transaction.add(change));
    }
    std::optional<tl::expected<ipc::Committed, std::string>> result;
    allocations_left = number;
    try {
      result = writer.commit(std::move(transaction));
    } catch (const std::bad_alloc&) {  // as the server refuses it
      result = tl::unexpected(std::string{base::no_memory});
    }
    const bool failed = allocations_left == never;
    allocations_left = never;
    return failed ? result : std::nullopt;
  }
};

TEST_F(MemoryTest, WithTheReserveATransactionIsDoneOrRefused) {
  base::keep_memory_reserve();
  ASSERT_TRUE(commit(true, base()));
  const auto before = everything();
  std::string after;
  unsigned refused = 0;
  unsigned done = 0;
  long number = 1;
  for (;; ++number) {
    ASSERT_TRUE(base::restore_memory_reserve());
    const auto result = commit_without(number);
    if (!result) {
      break;
    }
    if (*result) {
      ++done;
      after = after.empty() ? everything() : after;
      ASSERT_EQ(everything(), after) << "done in part without allocation " << number;
    } else {
      ++refused;
      EXPECT_EQ(result->error(), base::no_memory);
      ASSERT_EQ(everything(), before) << "refused in part without allocation " << number;
      continue;
    }
    ASSERT_TRUE(base::restore_memory_reserve());
    ASSERT_TRUE(commit(false, back()));
    ASSERT_EQ(everything(), before);
  }
  EXPECT_GT(refused, 50U);
  EXPECT_GT(done, 5U) << "what cannot be refused any more is finished";
}

TEST_F(MemoryTest, TheReserveIsSaidToBeUsed) {
  base::keep_memory_reserve();
  EXPECT_TRUE(base::has_memory_reserve());
  allocations_left = 1;
  const std::string text(1000, 'x');
  EXPECT_FALSE(base::has_memory_reserve());
  EXPECT_TRUE(base::restore_memory_reserve());
  EXPECT_TRUE(base::has_memory_reserve());
}

}  // namespace
}  // namespace sekisho::writer::test
