#pragma once

#include <string>
#include <string_view>

/// The exchange of RFC 7677, section 3 (user "user", password "pencil").
namespace howdah::protocol::test {

inline constexpr std::string_view password = "pencil";
inline constexpr std::string_view client_nonce = "rOprNGfwEbeRWgbNEkqO";
inline constexpr std::string_view server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
inline constexpr std::string_view client_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
inline constexpr std::string_view server_first =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
inline constexpr std::string_view client_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
inline constexpr std::string_view server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

/// The verifier PostgreSQL stores for that password, salt and iteration count.
inline constexpr std::string_view verifier_text =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

/// The same exchange with PostgreSQL's empty user name, per gs2 header; computed with Python's
/// hashlib and hmac.
struct exchange {
    std::string_view gs2_header;
    std::string_view client_final;
    std::string_view server_final;
};
inline constexpr exchange without_binding{
    "n,,",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k=",
    "v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg="};
inline constexpr exchange binding_not_offered{
    "y,,",
    "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=VpuC5DGQa5ro9tXE9MnKs69NH1nxnuregZZcclqIGfM=",
    "v=FOmOj9BpTGwvnzwBtWQjBaPmVxT9I8IeHBOhcIPu3us="};
inline constexpr exchange with_binding{"p=tls-server-end-point,,",
                                       "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsAAFjZXJ0aWZpY2F0ZSBoYXNo,"
                                       "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                       "p=WiCUYR/DCLVehT6O3KWUCvEGgs01zvL/Z0L02gaQes0=",
                                       "v=p180eDb80ZRuAQV3RL23s7OoBSoiTr+ZXfaHvndrcy4="};
/// The channel binding data of with_binding.
inline const std::string binding_data = std::string("\0\1", 2) + "certificate hash";

}  // namespace howdah::protocol::test
