#include "ha/conninfo.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <memory>
#include <random>

namespace howdah::ha {
namespace {

conninfo parsed(std::string_view text) {
    std::string error;
    const auto out = conninfo::parse(text, &error);
    EXPECT_TRUE(out) << text << ": " << error;
    return out.value_or(conninfo{});
}

std::string leads_to(std::string_view text) {
    std::string out;
    for (const auto& one : parsed(text).endpoints())
        out += (out.empty() ? "" : " ") + to_string(one);
    return out;
}

TEST(Conninfo, a_quoted_host_name_is_the_name_without_its_quotes) {
    EXPECT_EQ(leads_to("user=replicator host='pg-primary' port=5433"), "pg-primary:5433");
    EXPECT_EQ(leads_to(R"(host = 'it\'s' )"), "it's:5432");
}

TEST(Conninfo, the_port_may_stand_anywhere_and_is_5432_by_default) {
    EXPECT_EQ(leads_to("port=6000 host=a"), "a:6000");
    EXPECT_EQ(leads_to("host=a"), "a:5432");
}

TEST(Conninfo, hostaddr_is_where_it_leads_without_a_host) {
    EXPECT_EQ(leads_to("hostaddr=10.0.0.1 port=1"), "10.0.0.1:1");
    EXPECT_EQ(leads_to("hostaddr=10.0.0.1 host=pg1"), "pg1:5432");
    EXPECT_EQ(leads_to("hostaddr=10.0.0.1,10.0.0.2 host=,pg2"), "10.0.0.1:5432 pg2:5432");
}

TEST(Conninfo, several_hosts_have_one_port_or_one_each) {
    EXPECT_EQ(leads_to("host=a,b port=1"), "a:1 b:1");
    EXPECT_EQ(leads_to("host=a,b port=1,2"), "a:1 b:2");
    EXPECT_EQ(leads_to("host=a,b port=,2"), "a:5432 b:2");
}

TEST(Conninfo, a_unix_socket_and_a_uri_are_understood) {
    EXPECT_EQ(leads_to("host=/run/postgresql"), "/run/postgresql:5432");
    EXPECT_EQ(leads_to("postgresql://u:p@[::1]:77,b/?sslmode=require"), "[::1]:77 b:5432");
    EXPECT_EQ(leads_to("user=x"), "");
}

TEST(Conninfo, rewriting_keeps_every_other_field) {
    const auto before = parsed(
        "user=replicator passfile='/var/lib/postgresql/my pass' channel_binding=prefer host=old "
        "port=5432 sslmode=verify-full sslcert=/c application_name=pg2 keepalives_idle=5");
    const auto after = parsed(before.pointing_at({"new", 5433}).text());
    EXPECT_EQ(after.get("host"), "new");
    EXPECT_EQ(after.get("port"), "5433");
    for (const char* kept : {"user", "passfile", "channel_binding", "sslmode", "sslcert",
                             "application_name", "keepalives_idle"})
        EXPECT_EQ(after.get(kept), before.get(kept)) << kept;
}

TEST(Conninfo, rewriting_drops_the_old_hosts_address_and_further_hosts) {
    const auto after =
        parsed("host=a,b hostaddr=1.1.1.1,2.2.2.2 port=1,2 user=x").pointing_at({"c", 3});
    EXPECT_EQ(after.text(), parsed("host=c port=3 user=x").text());
}

TEST(Conninfo, a_standby_as_upstream_is_not_asked_to_be_writable) {
    const auto before = parsed("host=a target_session_attrs=read-write");
    EXPECT_EQ(before.pointing_at({"b", 1}).get("target_session_attrs"), "read-write");
    EXPECT_EQ(before.pointing_at({"b", 1}, false).get("target_session_attrs"), "");
}

TEST(Conninfo, keywords_of_a_newer_libpq_survive) {
    const auto after = parsed(R"(host=a future_keyword='x \'y' port = 7)").pointing_at({"b", 5432});
    EXPECT_EQ(after.get("future_keyword"), "x 'y");
    EXPECT_EQ(after.endpoints().front(), (endpoint{"b", 5432}));
}

TEST(Conninfo, passwords_can_be_hidden) {
    const auto one = parsed("host=a password='s e' user=u");
    EXPECT_EQ(one.text(false).find("s e"), std::string::npos);
    EXPECT_NE(one.text(false).find("password=****"), std::string::npos);
    EXPECT_NE(one.text().find("password='s e'"), std::string::npos);
}

TEST(Conninfo, what_libpq_refuses_is_refused_with_its_reason) {
    for (const std::string_view bad :
         {"host", "host='a", "=a", "postgresql://[::1", "nonsense='x", "nonsense=1 host"}) {
        std::string error;
        EXPECT_FALSE(conninfo::parse(bad, &error)) << bad;
        EXPECT_FALSE(error.empty()) << bad;
    }
    EXPECT_FALSE(conninfo::parse(std::string_view("host=a\0b", 8)));
}

TEST(Conninfo, libpq_reads_from_the_written_text_what_was_put_in) {
    std::mt19937 random(7);
    const std::string letters = "ab'\\ =,\t\"$\xc3\xa4";
    for (int round = 0; round < 500; ++round) {
        conninfo one;
        std::string value;
        for (auto length = 1 + random() % 8; length > 0; --length)
            value += letters[random() % letters.size()];
        one.set("host", "h");
        one.set("application_name", value);
        const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> read(
            PQconninfoParse(one.text().c_str(), nullptr), &PQconninfoFree);
        ASSERT_TRUE(read) << one.text();
        for (const auto* option = read.get(); option->keyword; ++option)
            if (std::string_view(option->keyword) == "application_name") {
                EXPECT_EQ(option->val, value);
            }
        EXPECT_EQ(parsed(one.text()).get("application_name"), value);
    }
}

}  // namespace
}  // namespace howdah::ha
