#pragma once
#include <set>

#include "protocol/io/stream.hpp"

namespace howdah::protocol {

/// Among the streams of a server as long as it lives. Both must outlive it.
class listed_stream {
public:
    listed_stream(std::set<stream*>& all, stream& s) : all_(all), stream_(s) {
        all_.insert(&stream_);
    }
    ~listed_stream() { all_.erase(&stream_); }
    listed_stream(const listed_stream&) = delete;
    listed_stream& operator=(const listed_stream&) = delete;

private:
    std::set<stream*>& all_;
    stream& stream_;
};

}  // namespace howdah::protocol
