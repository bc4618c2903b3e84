// SPDX-License-Identifier: BSD-3-Clause
// Whether a request means this appliance. A page from elsewhere whose name has been pointed to our address (DNS rebinding) is, for its
// browser, of the same origin as ours and may read what we answer; its name in the Host header tells it from ours.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "control/http/server.hpp"

namespace sekisho::web {

// `names`: by which it may be called besides localhost and the address that it was reached at; in lower case. The error is the answer.
[[nodiscard]] auto check_host(const http::Request& request, std::span<const std::string> names)
    -> tl::expected<void, http::Response>;

}  // namespace sekisho::web
