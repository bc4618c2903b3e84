// SPDX-License-Identifier: BSD-3-Clause
// What came of reading a configuration and the files that it names.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
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

struct ReadingOrder {
  Source source;
  std::vector<std::filesystem::path> beside;  // to be looked at
  policy::InterfaceAddresses addresses;
  // Set by who waits no more, for a thread that a file has kept: it must leave nothing on the disk.
  std::shared_ptr<const std::atomic<bool>> is_given_up = std::make_shared<std::atomic<bool>>(false);
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
