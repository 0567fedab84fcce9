#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace howdah::protocol {

/// What a server still owes on one connection, in order, and who gets it. The one authority on
/// whether a connection is in sync; pipelines, injected messages, COPY and error recovery all rest
/// on it (PostgreSQL documentation, "Message Flow").
///
/// Note is what the owner wants to remember with each reply (a statement, its effects).
/// Pure: knows message types, not sockets. Single-threaded.
template <class Note>
class reply_queue {
public:
    enum class kind : std::uint8_t {
        query,               ///< Query: anything until ReadyForQuery
        parse,               ///< ParseComplete
        bind,                ///< BindComplete
        describe_statement,  ///< ParameterDescription, then RowDescription or NoData
        describe_portal,     ///< RowDescription or NoData
        execute,             ///< rows, until CommandComplete, EmptyQueryResponse, PortalSuspended
        close,               ///< CloseComplete
        sync,                ///< ReadyForQuery
        function_call,       ///< FunctionCallResponse and ReadyForQuery
        local                ///< nothing from the server: we answer when its turn comes
    };
    struct entry {
        kind what;
        bool swallow;  ///< injected by us: the client must not see the reply
        Note note;
    };
    enum class handling : std::uint8_t { forward, swallow, violation };

    void expect(kind what, Note note = {}, bool swallow = false) {
        if (what != kind::local) ++owed_;
        if (fails_copy(what) && copy_in_ && front().what == kind::execute) copy_in_ = false;
        entries_.push_back({what, swallow, std::move(note)});
    }

    /// Nothing outstanding, neither the server's nor ours.
    [[nodiscard]] bool empty() const { return head_ == entries_.size(); }
    /// The server has something to send.
    [[nodiscard]] bool owed() const { return owed_ > 0; }
    [[nodiscard]] std::size_t size() const { return entries_.size() - head_; }
    /// Entries expected ever, and those of them that have left.
    [[nodiscard]] std::size_t expected() const { return popped_ + size(); }
    [[nodiscard]] std::size_t settled() const { return popped_; }
    [[nodiscard]] entry& front() { return entries_[head_]; }
    [[nodiscard]] const entry& front() const { return entries_[head_]; }
    /// All outstanding entries, oldest first.
    [[nodiscard]] auto begin() { return entries_.begin() + static_cast<std::ptrdiff_t>(head_); }
    [[nodiscard]] auto end() { return entries_.end(); }

    /// The last outstanding reply is that of an injected Sync.
    [[nodiscard]] bool ends_with_own_sync() const {
        return !empty() && entries_.back().what == kind::sync && entries_.back().swallow;
    }
    [[nodiscard]] bool local_at_front() const { return !empty() && front().what == kind::local; }
    void pop() {
        if (front().what != kind::local) --owed_;
        front().note = Note{};
        ++popped_;
        if (++head_ == entries_.size()) {
            entries_.clear();
            head_ = 0;
        } else if (head_ >= 256 && head_ * 2 >= entries_.size()) {
            // A pipeline that never runs dry must not grow for ever.
            entries_.erase(entries_.begin(), begin());
            head_ = 0;
        }
    }
    void clear() {
        entries_.clear();
        head_ = 0;
        owed_ = 0;
        copy_in_ = false;
        blind_ends_.clear();
    }

    /// The server waits for CopyData; it ignores Sync and Flush until CopyDone or CopyFail.
    [[nodiscard]] bool copy_in() const { return copy_in_; }
    /// The client sent CopyDone or CopyFail.
    /// It may do so before the server has said that it copies: the Syncs behind it count.
    void copy_ended() {
        if (!copy_in_) blind_ends_.push_back(popped_ + size());
        copy_in_ = false;
    }

    /// Takes the type of the server's next message; local entries at the front must have been
    /// answered and popped. done(entry&) is called for an entry that this message completes,
    /// skipped(entry&, failed) for each that an error cancels, the newest first, so that what they
    /// did can be undone step by step, and last, with `failed`, for the one that the error answers.
    /// The entries are popped afterwards.
    template <class Done, class Skipped>
    [[nodiscard]] handling on_message(char type, Done&& done, Skipped&& skipped) {
        // It may have been under way before the injected message came.
        if (type == 'A') return handling::forward;
        if (type == 'N' || type == 'S')
            return !empty() && front().swallow ? handling::swallow : handling::forward;
        if (!owed()) return type == 'E' ? handling::forward : handling::violation;
        entry& e = front();
        if (type == 'E') return on_error(skipped);
        const handling normal = e.swallow ? handling::swallow : handling::forward;
        const auto finish = [&] {
            done(e);
            pop();
            return normal;
        };
        switch (e.what) {
            case kind::query:
                if (type == 'Z') {
                    copy_in_ = false;
                    return finish();
                }
                if (type == 'G') copy_in_ = take_blind_end() == 0;
                return is_result(type) ? normal : handling::violation;
            case kind::function_call:
                if (type == 'Z') return finish();
                return type == 'V' ? normal : handling::violation;
            case kind::parse:
                return type == '1' ? finish() : handling::violation;
            case kind::bind:
                return type == '2' ? finish() : handling::violation;
            case kind::close:
                return type == '3' ? finish() : handling::violation;
            case kind::describe_statement:
                if (type == 't') return normal;
                [[fallthrough]];
            case kind::describe_portal:
                return type == 'T' || type == 'n' ? finish() : handling::violation;
            case kind::execute:
                if (type == 'C' || type == 'I' || type == 's') {
                    copy_in_ = false;
                    return finish();
                }
                if (type == 'G') begin_extended_copy_in();
                return is_result(type) ? normal : handling::violation;
            case kind::sync:
                return type == 'Z' ? finish() : handling::violation;
            case kind::local:
                break;
        }
        return handling::violation;
    }

private:
    /// A message that the server does not take during COPY: it fails, and Syncs count again.
    [[nodiscard]] static bool fails_copy(kind what) {
        return what != kind::sync && what != kind::local;
    }
    [[nodiscard]] static bool is_result(char type) {
        switch (type) {
            case 'T':
            case 'D':
            case 'C':
            case 'I':
            case 'G':
            case 'H':
            case 'W':
            case 'd':
            case 'c':
                return true;
            default:
                return false;
        }
    }

    template <class Skipped>
    [[nodiscard]] handling on_error(Skipped&& skipped) {
        const kind what = front().what;
        copy_in_ = false;
        if (what == kind::query || what == kind::function_call)
            return front().swallow ? handling::swallow : handling::forward;
        // An error in the extended protocol cancels everything up to the next Sync. It is shown
        // even where it answers an injected message: the client's own would have met it.
        const bool shown = what != kind::sync || !front().swallow;
        std::size_t end = head_;
        while (end < entries_.size() && entries_[end].what != kind::sync)
            ++end;
        for (std::size_t i = end; i > head_; --i)
            skipped(entries_[i - 1], i - 1 == head_);
        for (std::size_t left = end - head_; left > 0; --left)
            pop();
        return shown ? handling::forward : handling::swallow;
    }

    /// The CopyDone that was sent for the COPY at the front before it was asked for; 0: none was.
    [[nodiscard]] std::size_t take_blind_end() {
        // Those that were meant for a COPY that failed are behind us.
        std::erase_if(blind_ends_, [this](std::size_t at) { return at <= popped_; });
        if (blind_ends_.empty()) return 0;
        const std::size_t first = blind_ends_.front();
        blind_ends_.erase(blind_ends_.begin());
        return first;
    }

    // Syncs that are already on their way will be ignored by the server.
    void begin_extended_copy_in() {
        copy_in_ = true;
        std::size_t kept = head_ + 1;
        std::size_t void_until = entries_.size();
        if (const std::size_t ended_at = take_blind_end(); ended_at > 0) {
            void_until = head_ + (ended_at - popped_);
            copy_in_ = false;
        }
        for (std::size_t i = kept; i < void_until; ++i) {
            if (!fails_copy(entries_[i].what)) continue;
            void_until = i;
            copy_in_ = false;
        }
        for (std::size_t i = kept; i < entries_.size(); ++i) {
            if (i < void_until && entries_[i].what == kind::sync) {
                ++popped_;
                --owed_;
                continue;
            }
            if (kept != i) entries_[kept] = std::move(entries_[i]);
            ++kept;
        }
        entries_.resize(kept);
    }

    std::vector<entry> entries_;
    std::size_t head_ = 0;
    std::size_t owed_ = 0;
    std::size_t popped_ = 0;  // entries that have left, ever
    /// For each unasked CopyDone: how many entries there were before it, ever.
    std::vector<std::size_t> blind_ends_;
    bool copy_in_ = false;
};

}  // namespace howdah::protocol
