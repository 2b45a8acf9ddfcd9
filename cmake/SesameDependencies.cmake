# Finds what Sesame links, for its own build and for those who use the installed package. Each line names the Debian
# package that brings the library; all that are missing are reported at once, as one apt-get line.

set(sesame_missing_packages "")

# sesame_find(PACKAGE TARGET DEBIAN): a library that brings its own CMake config or has a module in CMake.
macro(sesame_find package target debian)
  find_package(${package} QUIET)
  if(NOT TARGET ${target})
    list(APPEND sesame_missing_packages ${debian})
  endif()
endmacro()

# sesame_find_plain(TARGET HEADER LIBRARY DEBIAN): a C library without a CMake config on Debian, by header and name.
macro(sesame_find_plain target header library debian)
  if(NOT TARGET ${target})
    find_path(sesame_${library}_header ${header})
    find_library(sesame_${library}_library ${library})
    mark_as_advanced(sesame_${library}_header sesame_${library}_library)
    if(sesame_${library}_header AND sesame_${library}_library)
      add_library(${target} UNKNOWN IMPORTED)
      set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${sesame_${library}_library}"
        INTERFACE_INCLUDE_DIRECTORIES "${sesame_${library}_header}")
    else()
      list(APPEND sesame_missing_packages ${debian})
    endif()
  endif()
endmacro()

set(THREADS_PREFER_PTHREAD_FLAG ON)
sesame_find(Threads Threads::Threads libc6-dev)
sesame_find(fmt fmt::fmt libfmt-dev)
sesame_find(ZLIB ZLIB::ZLIB zlib1g-dev)
sesame_find(zstd zstd::libzstd_shared libzstd-dev)
sesame_find(simdjson simdjson::simdjson libsimdjson-dev)
sesame_find_plain(xxHash::xxHash xxhash.h xxhash libxxhash-dev)
sesame_find_plain(utf8proc::utf8proc utf8proc.h utf8proc libutf8proc-dev)
sesame_find_plain(PCRE2::8BIT pcre2.h pcre2-8 libpcre2-dev)

# Header-only, and seen by no public header: whoever uses the installed package does not need them.
if(NOT SESAME_INSTALLED)
  # Of Highway only the headers: base/instruction_sets.cc says why.
  find_path(sesame_highway_header hwy/highway.h)
  mark_as_advanced(sesame_highway_header)
  add_library(sesame_highway_headers INTERFACE)
  if(sesame_highway_header)
    target_include_directories(sesame_highway_headers SYSTEM INTERFACE ${sesame_highway_header})
  else()
    list(APPEND sesame_missing_packages libhwy-dev)
  endif()
  sesame_find(nlohmann_json nlohmann_json::nlohmann_json nlohmann-json3-dev)
  sesame_find(CLI11 CLI11::CLI11 libcli11-dev)
  sesame_find(tomlplusplus tomlplusplus::tomlplusplus libtomlplusplus-dev)
endif()
