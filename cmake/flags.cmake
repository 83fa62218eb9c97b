# Warnings for every target of ours, sanitizers when asked for. No -ffast-math anywhere: integer
# parts must be exact and floating parts must hold their ceilings.
add_library(ead_flags INTERFACE)
target_compile_options(ead_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wwrite-strings -Wundef -Wvla -Wno-unknown-pragmas -ffp-contract=off -fno-math-errno)
target_compile_definitions(ead_flags INTERFACE _GNU_SOURCE)
if(EAD_WERROR)
  target_compile_options(ead_flags INTERFACE -Werror)
endif()
if(NOT EAD_CHECKS)
  target_compile_definitions(ead_flags INTERFACE EAD_NO_CHECKS)
endif()
if(EAD_SANITIZE)
  target_compile_options(ead_flags INTERFACE -fsanitize=address,undefined
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(ead_flags INTERFACE -fsanitize=address,undefined)
endif()
if(EAD_TSAN)
  target_compile_options(ead_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(ead_flags INTERFACE -fsanitize=thread)
endif()
if(EAD_FUZZ)
  target_compile_options(ead_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(ead_flags INTERFACE -fsanitize=address,undefined)
endif()
