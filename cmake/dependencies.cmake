# Everything comes by name from Debian's packages (scripts/setup.sh); nothing is fetched at configure time.
find_package(PkgConfig REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(dnnl REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)
find_package(Threads REQUIRED)
set(MPI_CXX_SKIP_MPICXX ON)   # the removed C++ bindings cost 0.66 s of every file
find_package(MPI REQUIRED COMPONENTS CXX)
