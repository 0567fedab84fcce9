# How every layer is built: warnings, sanitizers, precompiled headers, compiler cache.

find_program(HOWDAH_CCACHE ccache)
if(HOWDAH_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # Precompiled headers need these sloppiness flags, or nothing is ever found in the cache.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        ${HOWDAH_CCACHE})
endif()

add_library(howdah_options INTERFACE)
target_compile_options(howdah_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
    # False positives of an optimising g++ 12: overflows in its own inlined std::string code (GCC
    # bugs 105329, 105651), coroutine frames that it inlines only half.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
target_include_directories(howdah_options INTERFACE ${CMAKE_SOURCE_DIR})
if(HOWDAH_SANITIZE)
    target_compile_options(howdah_options INTERFACE
        -fsanitize=${HOWDAH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(howdah_options INTERFACE -fsanitize=${HOWDAH_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        # g++ 12 reports false positives in inlined std::string code under sanitizers.
        target_compile_options(howdah_options INTERFACE
            -Wno-maybe-uninitialized -Wno-tsan)
    endif()
endif()

# clang has its own way (-fsanitize=fuzzer-no-link).
if(HOWDAH_FUZZ AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(howdah_options INTERFACE -fsanitize-coverage=trace-pc,trace-cmp)
endif()

# howdah_layer(name GLOB dir... LINK lib...): a static library from every .cpp of the folders.
function(howdah_layer name)
    cmake_parse_arguments(ARG "" "PCH" "DIRS;LINK" ${ARGN})
    set(sources)
    foreach(dir ${ARG_DIRS})
        file(GLOB found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp)
        list(APPEND sources ${found})
    endforeach()
    list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
    add_library(${name} STATIC ${sources})
    target_link_libraries(${name} PUBLIC howdah_options ${ARG_LINK})
    if(ARG_PCH)
        target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/${ARG_PCH})
    endif()
endfunction()
