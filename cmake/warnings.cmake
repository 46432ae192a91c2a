# Warnings are errors on our code only; third-party headers come in as SYSTEM.
add_library(weft_warnings INTERFACE)
target_compile_options(weft_warnings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wnull-dereference
  # A designated initialiser names what differs from the defaults; the rest is meant to be left out.
  -Wno-missing-field-initializers)
