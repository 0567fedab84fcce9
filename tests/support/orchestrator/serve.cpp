#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <iostream>

#include "admin/http/http_server.hpp"
#include "admin/orchestrator/api.hpp"
#include "tests/support/orchestrator/made_cluster.hpp"

// serve_made_cluster [dead]: the API over a made cluster on a free port of 127.0.0.1, which it
// prints; for trying clients by hand. Ends with its standard input. With "dead" its primary is.
int main(int argc, char** argv) {
    using namespace howdah;
    std::signal(SIGPIPE, SIG_IGN);
    boost::asio::io_context io(1);
    boost::asio::thread_pool threads(1);
    admin::orchestrator::test::made_cluster cluster;
    if (argc > 1 && std::string_view(argv[1]) == "dead") cluster.kill_primary();
    auto does = cluster.functions();
    // The cluster belongs to one thread, so both are the same here.
    does.offload = does.control = [&io](admin::orchestrator::api_functions::work work) {
        boost::asio::post(io, std::move(work));
    };
    admin::orchestrator::access_rules rules;
    rules.credentials = {{"ann", "secret"}};
    const admin::orchestrator::api api(std::move(does), [&] { return rules; });
    admin::http_server server(io, threads);
    api.serve_on(server);
    const int fd = protocol::open_listening_socket({"127.0.0.1", 0});
    std::cout << protocol::bound_port(fd) << std::endl;
    server.listen(fd);
    boost::asio::post(threads, [&] {
        while (std::cin.get() != EOF) {
        }
        boost::asio::post(io, [&] { server.stop([&] { io.stop(); }); });
    });
    io.run();
    threads.join();
}
