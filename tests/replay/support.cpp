// The fuzzer's code, compiled into this test program.
#include "tests/fuzz/session/play_session.cpp"
#include "tests/fuzz/session/scripted_postgres.cpp"
#include "tests/fuzz/session/session_world.cpp"
#include "tests/fuzz/session/virtual_clock.cpp"
