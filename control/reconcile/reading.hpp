// SPDX-License-Identifier: BSD-3-Clause
// What came of reading a configuration and the files that it names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/stamp.hpp"
#include "control/history/store.hpp"
#include "control/policy/policy.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

// Of the files that are read, for the history.
struct CopyOrder {
  std::filesystem::path directory;
  std::filesystem::path newest;  // entry's root; empty: there is none
  std::string cause;

  friend bool operator==(const CopyOrder&, const CopyOrder&) = default;
};

struct PinOrder {
  std::filesystem::path directory;
  history::Pin pin;

  friend bool operator==(const PinOrder&, const PinOrder&) = default;
};

// A configuration: as it is, or as an entry of the history has it.
struct Source {
  std::filesystem::path config;
  std::filesystem::path root{};           // of the entry; empty: none
  std::optional<std::uint64_t> policy{};  // the entry's number
  std::optional<CopyOrder> copy{};
  std::optional<PinOrder> pin{};  // the policy is not to run before the disk has it

  friend bool operator==(const Source&, const Source&) = default;
};

// Between a thread that reads and who waits for it: who has given up must not find its marks on the disk afterwards.
class Handover {
 public:
  // False: the thread is writing them at this moment. For who waits.
  [[nodiscard]] bool give_up() {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock.owns_lock()) {
      return false;
    }
    is_given_up_ = true;
    return true;
  }
  // Does it, unless it has been given up. For the thread that reads.
  template <typename Work>
  void unless_given_up(Work work) {
    const std::scoped_lock lock{mutex_};
    if (!is_given_up_) {
      work();
    }
  }

 private:
  std::mutex mutex_;
  bool is_given_up_ = false;
};

struct ReadingOrder {
  Source source;
  std::vector<std::filesystem::path> beside;  // to be looked at
  policy::InterfaceAddresses addresses;
  std::shared_ptr<Handover> handover = std::make_shared<Handover>();
};

struct Reading {
  tl::expected<std::shared_ptr<const policy::Policy>, base::Error> policy;
  serve::Sources sources{};          // what was read, as far as it got
  std::vector<base::Stamp> files{};  // those that were to be looked at beside it
  std::optional<base::Error>
      hook{};  // why the program of [hook] cannot be run; none: it can, or there is none
};

// Waits for the files.
[[nodiscard]] auto read_policy(const ReadingOrder& order) -> Reading;

}  // namespace sekisho::reconcile
