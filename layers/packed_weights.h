#pragma once
#include "layers/parameter.h"
#include "runtime/context.h"
#include "runtime/device.h"

namespace weft {

/// The weights of every product x W^T in the form that the device multiplies with fastest, beside their values, for as long as those stay
/// as they are: decoding. Takes as much memory again as the weights; none where the device has no such form. Results keep their bits.
class PackedWeights {
 public:
  /// Packs the values and binds `packed` of the parameters.
  PackedWeights(Context&, ParameterSet&);
  ~PackedWeights();
  PackedWeights(const PackedWeights&) = delete;
  PackedWeights& operator=(const PackedWeights&) = delete;

 private:
  ParameterSet& parameters_;
  Memory memory_;
};

}  // namespace weft
