// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

namespace sekisho::base {

// Of the sources: "0.1.0", before it "0.1.0~646.g238f77c", after it "0.1.0+12.g238f77c" (common/base/revision). It ends with a zero byte.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace sekisho::base
