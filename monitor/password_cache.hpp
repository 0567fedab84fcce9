#pragma once
#include <chrono>
#include <list>
#include <map>
#include <string>

namespace howdah::monitor {

/// What auth_query has said about users, for a while. Who exists and who does not are bounded
/// apart, so that a flood of made-up names does not drive real ones out. One thread.
class password_cache {
public:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t max_entries = 10'000;  ///< of each kind
    /// Longest life of "no such user": a new role should not have to wait.
    static constexpr std::chrono::seconds unknown_lifetime{5};
    /// forget() leaves what is younger: somebody who fails again and again asks the server at most
    /// this often.
    static constexpr std::chrono::seconds forget_after{1};

    struct answer {
        bool exists = false;
        std::string password;  ///< as in pg_authid; empty: none, or none that is valid
    };

    void store(const std::string& user, answer what, clock::time_point now,
               std::chrono::milliseconds lifetime);
    /// Null where nothing is known, or not any more.
    [[nodiscard]] const answer* find(const std::string& user, clock::time_point now) const;
    /// The password did not fit: perhaps it was changed meanwhile.
    void forget(const std::string& user, clock::time_point now);
    void clear();
    [[nodiscard]] std::size_t size() const { return index_.size(); }

private:
    struct entry {
        std::string user;
        answer what;
        clock::time_point stored;
        clock::time_point expires;
    };
    using entries = std::list<entry>;  // latest first
    [[nodiscard]] entries& list_of(const answer& what) { return what.exists ? known_ : unknown_; }
    void erase(std::map<std::string, entries::iterator>::iterator where);

    entries known_;
    entries unknown_;
    std::map<std::string, entries::iterator> index_;
};

}  // namespace howdah::monitor
