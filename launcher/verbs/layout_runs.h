#pragma once
#include <vector>

#include "launcher/ranks/job.h"
#include "launcher/ranks/machine.h"
#include "training/layout_run.h"

namespace weft {

/// Runs the updates on one rank, alone, with all threads.
LayoutRun run_alone(const LayoutRunConfig&, const Machine&, const Dataset&);

/// Runs the updates on every rank of a layout and returns what each computed, by rank: on the ranks of the job, of which rank 0 gets the
/// results and the others nothing; or, where the job is one rank, on threads of this process. Gradients are those of the first
/// data-parallel rank of each column: all of a column have summed the same.
std::vector<LayoutRun> run_together(Job&, Grid, const LayoutRunConfig&, const Machine&, const Dataset&);

}  // namespace weft
