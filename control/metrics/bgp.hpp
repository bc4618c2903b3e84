// SPDX-License-Identifier: BSD-3-Clause
// BGP as FRR said when it was asked last: nobody waits for it at a scrape.
#pragma once

#include "control/advertise/status.hpp"
#include "control/metrics/text.hpp"

namespace sekisho::metrics {

void add_bgp(Text& text, const advertise::Status& status);

}  // namespace sekisho::metrics
