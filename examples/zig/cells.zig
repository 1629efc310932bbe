//! A std.mem.Allocator over one buffer: cells of 64 bytes, and whether each is taken.
const std = @import("std");
const Alignment = std.mem.Alignment;

const cell = 64;
const cells = 1024;

const Cells = struct {
    begin: usize,
    taken: [cells]bool = @splat(false),

    fn allocator(self: *Cells) std.mem.Allocator {
        return .{ .ptr = self, .vtable = &.{ .alloc = alloc, .resize = resize, .remap = remap, .free = free } };
    }

    fn of(context: *anyopaque) *Cells {
        return @ptrCast(@alignCast(context));
    }

    fn needed(len: usize) usize {
        return len / cell + @intFromBool(len % cell != 0);
    }

    fn allFree(self: *const Cells, first: usize, end: usize) bool {
        for (self.taken[first..end]) |taken| if (taken) return false;
        return true;
    }

    fn alloc(context: *anyopaque, len: usize, alignment: Alignment, _: usize) ?[*]u8 {
        const self = of(context);
        const count = needed(len);
        if (count > cells) return null;
        for (0..cells - count + 1) |first| {
            const address = self.begin + first * cell;
            if (!alignment.check(address) or !self.allFree(first, first + count)) continue;
            @memset(self.taken[first..][0..count], true);
            return @ptrFromInt(address);
        }
        return null;
    }

    fn resize(context: *anyopaque, memory: []u8, _: Alignment, new_len: usize, _: usize) bool {
        const self = of(context);
        const first = (@intFromPtr(memory.ptr) - self.begin) / cell;
        const end = first + needed(memory.len);
        const new_end = first + needed(new_len);
        if (new_end > cells) return false;
        if (new_end > end and !self.allFree(end, new_end)) return false;
        @memset(self.taken[@min(end, new_end)..@max(end, new_end)], new_end > end);
        return true;
    }

    fn remap(context: *anyopaque, memory: []u8, alignment: Alignment, new_len: usize, ret: usize) ?[*]u8 {
        return if (resize(context, memory, alignment, new_len, ret)) memory.ptr else null;
    }

    fn free(context: *anyopaque, memory: []u8, _: Alignment, _: usize) void {
        const self = of(context);
        const first = (@intFromPtr(memory.ptr) - self.begin) / cell;
        @memset(self.taken[first..][0..needed(memory.len)], false);
    }
};

// The shim: what heaplaw calls. It goes through the interface, as any user of the allocator does; no request there is
// for 0 bytes, so that here it is one for 1.

export fn cells_init(state: *Cells, buffer: [*]u8) void {
    state.* = .{ .begin = @intFromPtr(buffer) };
}

export fn cells_alloc(state: *Cells, size: usize, alignment: usize) ?[*]u8 {
    return state.allocator().rawAlloc(@max(size, 1), .fromByteUnits(alignment), 0);
}

export fn cells_free(state: *Cells, block: [*]u8, size: usize, alignment: usize) void {
    state.allocator().rawFree(block[0..@max(size, 1)], .fromByteUnits(alignment), 0);
}

/// What Allocator.realloc does: in place if that can be, else a new block, and the bytes of the old one.
export fn cells_realloc(state: *Cells, block: [*]u8, size: usize, alignment: usize, new_size: usize) ?[*]u8 {
    const memory = block[0..@max(size, 1)];
    if (state.allocator().rawRemap(memory, .fromByteUnits(alignment), @max(new_size, 1), 0)) |kept| return kept;
    const moved = cells_alloc(state, new_size, alignment) orelse return null;
    const kept = @min(size, new_size);
    @memcpy(moved[0..kept], block[0..kept]);
    cells_free(state, block, size, alignment);
    return moved;
}
