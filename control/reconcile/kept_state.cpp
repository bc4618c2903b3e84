// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/kept_state.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "common/base/write_whole.hpp"

namespace sekisho::reconcile {
namespace {

constexpr std::string_view name = "control.json";

}  // namespace

KeptState::KeptState(const std::filesystem::path& directory) : file_(directory / name) {}

auto KeptState::open(const std::filesystem::path& directory) -> tl::expected<KeptState, std::string> {
  KeptState state{directory};
  std::error_code error;
  if (!std::filesystem::exists(state.file_, error) && !error) {
    return state;
  }
  std::ifstream in{state.file_, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (error || !in) {
    return tl::unexpected(fmt::format("{} cannot be read", state.file_.native()));
  }
  state.known_ = Json::parse(text, nullptr, false);
  if (!state.known_.is_object()) {
    return tl::unexpected(fmt::format("{} is not a JSON object", state.file_.native()));
  }
  return state;
}

auto KeptState::get(std::string_view key) const -> Json {
  const auto found = known_.find(std::string{key});
  return found == known_.end() ? Json(nullptr) : *found;
}

auto KeptState::set(std::string_view key, Json value) -> tl::expected<void, std::string> {
  std::error_code ignored;  // why the file cannot be written says more
  std::filesystem::create_directory(file_.parent_path(), ignored);
  auto then = known_;
  if (value.is_null()) {
    then.erase(std::string{key});
  } else {
    then[std::string{key}] = std::move(value);
  }
  // Whether the disk has it is not waited for: this thread waits for no disk.
  return base::write_whole(file_, then.dump(2, ' ', false, Json::error_handler_t::replace) + "\n").map([&] {
    known_ = std::move(then);
  });
}

}  // namespace sekisho::reconcile
