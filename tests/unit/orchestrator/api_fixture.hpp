#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "admin/orchestrator/api.hpp"
#include "tests/support/orchestrator/made_cluster.hpp"

namespace howdah::admin::orchestrator {

/// The API over a made cluster, asked from this machine.
class api_fixture : public testing::Test {
protected:
    struct reply {
        unsigned status = 0;
        json body;
        http_answer whole;
    };

    /// The answer, where there is one already.
    std::optional<reply> try_get(const std::string& target, const std::string& method = "GET") {
        http_request request;
        request.method = method;
        request.path = target.substr(0, target.find('?'));
        if (request.path.size() < target.size())
            request.query = target.substr(request.path.size() + 1);
        request.headers = headers;
        request.peer = peer;
        request.local = peer == "127.0.0.1";
        const auto given = std::make_shared<std::optional<reply>>();
        api_.handle(request, [given](http_answer a) {
            if (*given) return;
            *given = reply{a.status, json::parse(a.body), a};
        });
        last_ = given;
        return *given;
    }
    reply get(const std::string& target, const std::string& method = "GET") {
        auto out = try_get(target, method);
        EXPECT_TRUE(out) << target << " is not answered";
        return out.value_or(reply{});
    }
    /// Of a call that has to succeed.
    json details(const std::string& target) {
        const auto out = get(target);
        EXPECT_EQ(out.body.value("Code", ""), "OK") << target << ": " << out.body.dump();
        EXPECT_EQ(out.status, 200U) << target;
        return out.body.value("Details", json());
    }
    /// Of a call that has to fail.
    std::string error(const std::string& target, unsigned status = 500) {
        const auto out = get(target);
        EXPECT_EQ(out.body.value("Code", ""), "ERROR") << target << ": " << out.body.dump();
        EXPECT_EQ(out.status, status) << target;
        return out.body.value("Message", "");
    }
    /// "pg1:5432" of every key, as orchestrator-client prints them.
    static std::vector<std::string> keys(const json& all) {
        std::vector<std::string> out;
        for (const auto& one : all)
            out.push_back(key(one.contains("Key") ? one.at("Key") : one));
        return out;
    }
    static std::string key(const json& one) {
        return one.at("Hostname").get<std::string>() + ":" +
               std::to_string(one.at("Port").get<int>());
    }

    test::made_cluster cluster_;
    access_rules rules_;
    api api_{cluster_.functions(), [this] { return rules_; }};
    std::string peer = "127.0.0.1";
    std::map<std::string, std::string, std::less<>> headers{{"host", "localhost:3098"}};
    std::shared_ptr<std::optional<reply>> last_;
};

}  // namespace howdah::admin::orchestrator
