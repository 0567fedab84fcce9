// The support code of this test program, compiled into it.
#include "tests/support/loopback/client.cpp"
#include "tests/support/loopback/connection.cpp"
#include "tests/support/loopback/fake_server.cpp"
#include "tests/support/loopback/running_proxy.cpp"
