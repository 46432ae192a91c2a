#include "parallel/mpi/checked_call.h"

#include <utility>

namespace weft {
namespace {

Signature numbered(Signature signature, std::int64_t sequence) {
  signature.sequence = sequence;
  return signature;
}

}  // namespace

SignatureCheck::SignatureCheck(MpiGroup group, std::string name, std::shared_ptr<FlightRecord> record)
    : group_(std::move(group)),
      name_(std::move(name)),
      record_(std::move(record)),
      recorded_group_(record_->add_group(name_)),
      signatures_(static_cast<std::size_t>(group_.size())) {}

CheckedCall::CheckedCall(SignatureCheck& check, const Signature& called)
    : signature_(numbered(called, ++check.sequence_)), recorded_(*check.record_, check.recorded_group_, signature_) {
  auto* all = reinterpret_cast<std::byte*>(check.signatures_.data());
  check.group_.all_gather(reinterpret_cast<const std::byte*>(&signature_), all, sizeof(Signature));
  require_same_signature(check.name_, check.signatures_);
}

}  // namespace weft
