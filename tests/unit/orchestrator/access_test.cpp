#include "admin/orchestrator/access.hpp"

#include <gtest/gtest.h>

namespace howdah::admin::orchestrator {
namespace {

class Access : public testing::Test {
protected:
    Access() {
        rules.credentials = {{"ann", "se:cret"}, {"bob", "other"}};
        rules.tokens = {{"ci", "0123456789abcdef"}};
        rules.failed_login_delay = std::chrono::milliseconds(250);
        rules.own_names = {"db-host"};
        local.peer = "127.0.0.1";
        local.local = true;
        local.headers["host"] = "localhost:3098";
        remote.peer = "10.0.0.9";
        remote.headers["host"] = "howdah.example:3098";
    }
    access_verdict change(const http_request& by) const { return check_access(rules, by, true); }
    access_verdict read(const http_request& by) const { return check_access(rules, by, false); }
    http_request with(http_request request, const std::string& header,
                      const std::string& value) const {
        request.headers[header] = value;
        return request;
    }

    access_rules rules;
    http_request local;
    http_request remote;
    const std::string anns = "Basic YW5uOnNlOmNyZXQ=";  // ann:se:cret
};

TEST_F(Access, reading_is_open_to_everybody_unless_it_needs_a_login) {
    EXPECT_TRUE(read(remote).allowed);
    rules.read_needs_login = true;
    EXPECT_EQ(read(remote).status, 401U);
    EXPECT_TRUE(read(with(remote, "authorization", anns)).allowed);
    EXPECT_TRUE(read(local).allowed) << "programs on this machine are trusted";
}

TEST_F(Access, changing_from_outside_needs_a_user_or_a_token) {
    EXPECT_EQ(change(remote).status, 401U);
    EXPECT_EQ(change(with(remote, "authorization", anns)).by, "ann");
    EXPECT_EQ(change(with(remote, "authorization", "basic Ym9iOm90aGVy")).by, "bob");
    EXPECT_EQ(change(with(remote, "authorization", "Bearer 0123456789abcdef")).by, "ci");
}

TEST_F(Access, wrong_credentials_are_refused_later_even_on_this_machine) {
    for (const char* wrong :
         {"Basic YW5uOndyb25n", "Basic YW5u", "Basic !!!!", "Basic ", "Basic", "Bearer 0123456789",
          "Bearer ", "Bearer", "Digest username=ann", "Bearer YW5uOnNlOmNyZXQ=", ""}) {
        if (!*wrong) continue;
        for (const auto& from : {local, remote}) {
            const auto verdict = change(with(from, "authorization", wrong));
            EXPECT_FALSE(verdict.allowed) << wrong;
            EXPECT_EQ(verdict.status, 401U) << wrong;
            EXPECT_EQ(verdict.delay.count(), 250) << wrong;
        }
    }
}

TEST_F(Access, an_empty_password_or_token_in_the_configuration_lets_nobody_in) {
    rules.credentials.clear();
    rules.tokens.clear();
    EXPECT_FALSE(change(with(remote, "authorization", "Bearer ")).allowed);
    EXPECT_FALSE(change(with(remote, "authorization", "Basic Og==")).allowed);
    EXPECT_NE(change(remote).message.find("ha_api_credentials"), std::string::npos);
}

TEST_F(Access, this_machine_is_trusted_unless_configured_otherwise) {
    const auto verdict = change(local);
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.by, "127.0.0.1");
    rules.trust_loopback = false;
    EXPECT_EQ(change(local).status, 401U);
}

TEST_F(Access, a_proxy_on_this_machine_does_not_pass_its_trust_on) {
    for (const char* header : {"x-forwarded-for", "forwarded", "x-real-ip", "via"})
        EXPECT_EQ(change(with(local, header, "10.0.0.9")).status, 401U) << header;
}

TEST_F(Access, a_page_of_another_site_changes_nothing_even_with_a_login_on_this_machine) {
    for (const auto& from : {local, with(local, "authorization", anns)}) {
        for (const char* site : {"cross-site", "same-site"})
            EXPECT_EQ(change(with(from, "sec-fetch-site", site)).status, 403U) << site;
        for (const char* origin : {"http://evil.example", "null", "http://localhost:8080",
                                   "http://localhost:3098.evil.example"})
            EXPECT_EQ(change(with(from, "origin", origin)).status, 403U) << origin;
        EXPECT_EQ(change(with(from, "referer", "http://evil.example/page")).status, 403U);
    }
    EXPECT_TRUE(read(with(local, "origin", "http://evil.example")).allowed);
}

TEST_F(Access, the_own_page_and_an_address_typed_by_hand_may_change) {
    EXPECT_TRUE(change(with(local, "origin", "http://localhost:3098")).allowed);
    EXPECT_TRUE(change(with(local, "origin", "http://LOCALHOST:3098")).allowed);
    EXPECT_TRUE(change(with(local, "referer", "http://localhost:3098/web/clusters")).allowed);
    EXPECT_TRUE(change(with(local, "sec-fetch-site", "same-origin")).allowed);
    EXPECT_TRUE(change(with(local, "sec-fetch-site", "none")).allowed);
}

TEST_F(Access, a_name_rebound_to_this_machine_is_not_trusted) {
    for (const char* host : {"evil.example", "evil.example:3098", "localhost.evil.example", ""})
        EXPECT_EQ(change(with(local, "host", host)).status, 403U) << host;
    for (const char* host : {"localhost", "127.0.0.1:3098", "[::1]:3098", "10.0.0.5",
                             "db-host:3098", "DB-Host", "howdah.localhost"})
        EXPECT_TRUE(change(with(local, "host", host)).allowed) << host;
}

TEST_F(Access, a_login_works_under_every_name) {
    EXPECT_TRUE(change(with(with(local, "host", "evil.example"), "authorization", anns)).allowed);
}

}  // namespace
}  // namespace howdah::admin::orchestrator
