#pragma once

/// Calls to the allocator by this thread so far; stays 0 where the allocator cannot be watched (under sanitizers).
long allocations_so_far();
bool can_watch_allocations();
