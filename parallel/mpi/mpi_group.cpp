#include "parallel/mpi/mpi_group.h"

#include <algorithm>
#include <exception>
#include <string>

#include <fmt/format.h>
#include <mpi.h>

#include "runtime/error.h"

namespace weft {
namespace {

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  fail(fmt::format("{}: {}", call, std::string(text, static_cast<std::size_t>(length))));
}

/// Calls `move(offset, count)` for one piece after the other.
template <class Move>
void in_pieces(std::int64_t bytes, Move move) {
  for (std::int64_t at = 0; at < bytes; at += MpiGroup::kPieceBytes) {
    move(at, static_cast<int>(std::min(MpiGroup::kPieceBytes, bytes - at)));
  }
}

int block_bytes(std::int64_t bytes, int ranks) {
  if (bytes < 0 || bytes > MpiGroup::kPieceBytes / ranks) fail(fmt::format("{} blocks of {} bytes in one call of MPI", ranks, bytes));
  return static_cast<int>(bytes);
}

}  // namespace

struct MpiGroup::Handle {
  explicit Handle(MPI_Comm made) : comm(made) { check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler"); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized == 0 && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm);  // a collective: after a failure others may not come
  }
  MPI_Comm comm;
};

MpiGroup::MpiGroup(std::shared_ptr<Handle> handle) : handle_(std::move(handle)) {
  check(MPI_Comm_rank(handle_->comm, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(handle_->comm, &size_), "MPI_Comm_size");
}

MpiGroup MpiGroup::world() {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &comm), "MPI_Comm_dup");
  return MpiGroup(std::make_shared<Handle>(comm));
}

MpiGroup MpiGroup::split(int color) const {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_split(handle_->comm, color, rank_, &comm), "MPI_Comm_split");
  return MpiGroup(std::make_shared<Handle>(comm));
}

MpiGroup MpiGroup::on_this_host() const {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_split_type(handle_->comm, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &comm), "MPI_Comm_split_type");
  return MpiGroup(std::make_shared<Handle>(comm));
}

void MpiGroup::broadcast(std::byte* data, std::int64_t bytes, int root) const {
  in_pieces(bytes, [&](std::int64_t at, int count) { check(MPI_Bcast(data + at, count, MPI_BYTE, root, handle_->comm), "MPI_Bcast"); });
}

void MpiGroup::all_gather(const std::byte* mine, std::byte* all, std::int64_t bytes) const {
  const int count = block_bytes(bytes, size_);
  check(MPI_Allgather(mine, count, MPI_BYTE, all, count, MPI_BYTE, handle_->comm), "MPI_Allgather");
}

void MpiGroup::all_to_all(const std::byte* from, std::byte* to, std::int64_t bytes) const {
  const int count = block_bytes(bytes, size_);
  check(MPI_Alltoall(from, count, MPI_BYTE, to, count, MPI_BYTE, handle_->comm), "MPI_Alltoall");
}

void MpiGroup::maximum(std::span<std::int64_t> values) const {
  const auto count = static_cast<int>(values.size());
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), count, MPI_INT64_T, MPI_MAX, handle_->comm), "MPI_Allreduce");
}

void MpiGroup::send(const std::byte* data, std::int64_t bytes, int to) const {
  in_pieces(bytes, [&](std::int64_t at, int count) { check(MPI_Send(data + at, count, MPI_BYTE, to, 0, handle_->comm), "MPI_Send"); });
}

void MpiGroup::receive(std::byte* data, std::int64_t bytes, int from) const {
  in_pieces(bytes, [&](std::int64_t at, int count) {
    check(MPI_Recv(data + at, count, MPI_BYTE, from, 0, handle_->comm, MPI_STATUS_IGNORE), "MPI_Recv");
  });
}

}  // namespace weft
