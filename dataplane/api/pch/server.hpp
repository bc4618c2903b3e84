// Precompiled: what most of the server includes and what takes a compiler longest.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio.hpp>

#include "dataplane.pb.h"
