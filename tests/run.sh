#!/usr/bin/env bash
# Builds Howdah and passes its tests: unit, loopback, integration on real PostgreSQL, and the walkthrough.
set -euo pipefail

repo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source=conf/packages.sh
source "$repo/conf/packages.sh"
cd "$repo"

usage() {
    cat <<'TEXT'
usage: tests/run.sh [--quick | --integration | --chaos] [--preset NAME] [PYTEST ARGUMENTS...]

  --quick        build, unit and loopback tests only (the inner loop)
  --integration  build, integration tests only
  --chaos        build, faults on real servers in networks of their own only (docs/chaos.md)
  --preset NAME  dev (default), release, asan or tsan
Further arguments go to pytest: tests/run.sh --integration -k psycopg3 -x
Environment: JOBS  compile jobs (number of cores)
TEXT
}

preset=dev unit=yes suites=(integration chaos/test_walkthrough.py) pytest_arguments=()
while (($#)); do
    case $1 in
    --quick) suites=() ;;
    --integration) unit='' suites=(integration) ;;
    --chaos) unit='' suites=(chaos) ;;
    --preset)
        preset=${2:?--preset needs a name}
        shift
        ;;
    -h | --help) usage && exit 0 ;;
    *) pytest_arguments+=("$1") ;;
    esac
    shift
done

passed=0 failed=0 sanitizer_options=halt_on_error=1:abort_on_error=0

# add_results JUNIT_FILE: adds the counts of the file's outermost element.
add_results() {
    local tests failures errors
    read -r tests failures errors < <(
        tr '\n\t' '  ' <"$1" | grep -oE '<testsuite [^>]*>' | head -1 | tr ' ' '\n' | awk -F'"' '
            /^tests=/ {t=$2} /^failures=/ {f=$2} /^errors=/ {e=$2} END {print t+0, f+0, e+0}')
    passed=$((passed + tests - failures - errors))
    failed=$((failed + failures + errors))
}

build() {
    install_packages "${packages_build[@]}" "${packages_unit[@]}"
    ((${#suites[@]} == 0)) || {
        install_packages "${packages_runtime[@]}" "${packages_integration[@]}"
        install_java_and_node "$repo/build"
        install_postgres_js "$repo/build"
    }
    howdah_say "building (preset $preset)"
    cmake --preset "$preset" -DHOWDAH_TESTS=ON >/dev/null
    cmake --build "build/$preset" -j "${JOBS:-$(nproc)}"
}

run_unit() {
    howdah_say "unit and loopback tests"
    local results=$repo/build/$preset/ctest.xml
    rm -f "$results"
    ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" --no-tests=error \
        --output-junit "$results" >"$results.log" 2>&1 || grep -vE ' Passed +[0-9.]+ sec$' "$results.log"
    if [[ -s $results ]]; then add_results "$results"; else failed=$((failed + 1)); fi
}

run_on_servers() { # FOLDER or file
    howdah_say "$1 tests on PostgreSQL $("$(postgresql_bin)/postgres" --version | cut -d' ' -f3)"
    local results=$repo/build/$preset/${1//\//-}.xml status=0
    rm -f "$results"
    NODE_PATH=$node_path HOWDAH_BIN=${HOWDAH_BIN:-$repo/build/$preset/proxy/howdah} \
        /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider --junitxml="$results" -n "$(nproc)" --dist loadfile \
        "${pytest_arguments[@]}" "$repo/tests/$1" || status=$?
    if [[ -s $results ]]; then add_results "$results"; fi
    # Anything that pytest complains about beyond failed tests counts as a failure, too.
    ((status <= 1)) && [[ -s $results ]] || failed=$((failed + 1))
}

export ASAN_OPTIONS=${ASAN_OPTIONS:-$sanitizer_options:detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-$sanitizer_options:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-$sanitizer_options}
build
[[ -z $unit ]] || run_unit
for suite in "${suites[@]}"; do run_on_servers "$suite"; done
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
