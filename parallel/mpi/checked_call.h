#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parallel/flight_record.h"
#include "parallel/mpi/mpi_group.h"

namespace weft {

/// The collectives of one group over MPI: their numbers, and what the other ranks call at the same time.
class SignatureCheck {
 public:
  SignatureCheck(MpiGroup group, std::string name, std::shared_ptr<FlightRecord> record);
  const std::string& name() const { return name_; }

 private:
  friend class CheckedCall;
  MpiGroup group_;
  std::string name_;
  std::shared_ptr<FlightRecord> record_;
  int recorded_group_;
  std::int64_t sequence_ = 0;
  std::vector<Signature> signatures_;  // of the call in progress, by rank
};

/// A collective from its entry to its end: recorded, and entered only when all ranks have come with the same signature; fails on each of
/// them otherwise. One small message to each rank.
class CheckedCall {
 public:
  /// Of `called`, the sequence number is filled in here.
  CheckedCall(SignatureCheck&, const Signature& called);

 private:
  Signature signature_;
  RecordedCall recorded_;
};

}  // namespace weft
