#pragma once

namespace weft {

/// SIGTERM, SIGINT and SIGUSR1 ask the run to stop at the next step boundary with a checkpoint; a second one of any of them ends the
/// process at once with 128 + its number. Call once, before threads start.
void install_stop_signals();

/// Whether a signal has asked. May be called from any thread.
bool stop_requested();

}  // namespace weft
