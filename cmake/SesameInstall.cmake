# The installed package: find_package(Sesame) gives Sesame::sesame, one static library with its headers.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Sesame)

install(TARGETS sesame sesame_tokenizer EXPORT SesameTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET sesame_program)
  install(TARGETS sesame_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY sesame DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def" PATTERN "*-inl.h" EXCLUDE PATTERN "test_data.h" EXCLUDE)
install(EXPORT SesameTargets NAMESPACE Sesame:: DESTINATION ${package_dir})

configure_package_config_file(cmake/SesameConfig.cmake.in ${PROJECT_BINARY_DIR}/SesameConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/SesameConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/SesameConfig.cmake ${PROJECT_BINARY_DIR}/SesameConfigVersion.cmake
  cmake/SesameDependencies.cmake DESTINATION ${package_dir})
