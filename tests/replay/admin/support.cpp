// The fuzzer's code, compiled into this test program.
#include "tests/fuzz/admin/play_admin.cpp"
