# Fails when an object of an instruction set has a symbol that the linker may share with other objects (weak, unique) outside the namespace of
# that set: an inline function compiled with AVX-512 would then be what every other file calls, on any processor.
# cmake -DNM=nm -DISA=avx512 "-DOBJECTS=a.o;b.o" -P isa_objects.cmake
set(shared 0)
foreach(object ${OBJECTS})
  execute_process(COMMAND ${NM} ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9a-f]* +[WVwvu] [^\n]+" weak "${symbols}")
  foreach(symbol ${weak})
    math(EXPR shared "${shared} + 1")
    string(REGEX REPLACE "^.* " "" name "${symbol}")
    string(LENGTH ${ISA} length)
    if(NOT name MATCHES "^_ZN4weft3cpu${length}${ISA}")
      message(SEND_ERROR "${object} shares ${name}")
    endif()
  endforeach()
endforeach()
message(STATUS "${shared} shared symbols, of namespace weft::cpu::${ISA}")
