#pragma once
#include <functional>
#include <memory>

#include "admin/http/http_server.hpp"
#include "admin/orchestrator/access.hpp"
#include "admin/orchestrator/functions.hpp"
#include "admin/orchestrator/route.hpp"

namespace howdah::admin::orchestrator {

/// Orchestrator's API v1 (and the reading half of v2), for clusters of PostgreSQL. Every answer is
/// JSON: orchestrator-client repeats a request eight times whose answer is none. Lives on the
/// control thread. What it began goes on without it.
class api {
public:
    /// `rules` is asked at each request.
    api(api_functions does, std::function<access_rules()> rules);

    /// One request, on the control thread; `respond` is called at some time, on any thread.
    void handle(const http_request& request, const http_responder& respond) const;

    /// Makes `server` answer by this API: everything that has no exact path there. The API must
    /// outlive the server.
    void serve_on(http_server& server) const;

private:
    void run(const route& row, const std::shared_ptr<api_call>& call) const;

    std::shared_ptr<const api_functions> does_;
    std::function<access_rules()> rules_;
    std::shared_ptr<order_book> orders_ = std::make_shared<order_book>();
};

}  // namespace howdah::admin::orchestrator
