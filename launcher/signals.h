#pragma once

namespace weft {

/// SIGTERM, SIGINT and SIGUSR1 end the process: at once with 75, since there is nothing to save yet; after defer_stops, at the next
/// step boundary with a checkpoint, and a second one of any of them at once with 128 + its number.
void install_stop_signals();

/// From here on there is something to save, and somebody who asks stop_requested.
void defer_stops();

/// Whether a signal has asked. May be called from any thread.
bool stop_requested();

}  // namespace weft
