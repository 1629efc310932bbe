//! A global allocator: a list of free blocks for each power of two, in one static arena.
use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

const ARENA: usize = 1 << 22;
const CLASSES: usize = 23;

#[repr(align(4096))]
struct Arena(UnsafeCell<[u8; ARENA]>);

struct State {
    used: usize,
    free: [*mut u8; CLASSES],
}

pub struct SizeClasses {
    arena: Arena,
    state: UnsafeCell<State>,
}

// One thread only: a lock around it would be the next step.
unsafe impl Sync for SizeClasses {}

/// The power of two that holds `layout`, and is aligned as it asks: blocks lie at multiples of their size.
fn class(layout: Layout) -> usize {
    layout.size().max(layout.align()).max(16).next_power_of_two().trailing_zeros() as usize
}

unsafe impl GlobalAlloc for SizeClasses {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > ARENA || layout.align() > 4096 {
            return null_mut();
        }
        let state = &mut *self.state.get();
        let class = class(layout);
        let start = (state.used + (1 << class) - 1) & !((1 << class) - 1);
        let full = start > ARENA || ARENA - start < 1 << class;
        // A block of its own class; when the arena is used up, of a larger one.
        let last = if full { CLASSES } else { class + 1 };
        for head in &mut state.free[class..last] {
            if !head.is_null() {
                let block = *head;
                *head = *block.cast::<*mut u8>();
                return block;
            }
        }
        if full {
            return null_mut();
        }
        state.used = start + (1 << class);
        self.arena.0.get().cast::<u8>().add(start)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let head = &mut (*self.state.get()).free[class(layout)];
        *block.cast::<*mut u8>() = *head;
        *head = block;
    }
}

// The shim: what heaplaw calls. A program would say #[global_allocator] of this static.
static HEAP: SizeClasses = SizeClasses {
    arena: Arena(UnsafeCell::new([0; ARENA])),
    state: UnsafeCell::new(State { used: 0, free: [null_mut(); CLASSES] }),
};

#[no_mangle]
pub unsafe extern "C" fn classes_alloc(size: usize, align: usize) -> *mut u8 {
    Layout::from_size_align(size, align).map_or(null_mut(), |layout| HEAP.alloc(layout))
}

#[no_mangle]
pub unsafe extern "C" fn classes_alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    Layout::from_size_align(size, align).map_or(null_mut(), |layout| HEAP.alloc_zeroed(layout))
}

#[no_mangle]
pub unsafe extern "C" fn classes_realloc(block: *mut u8, size: usize, align: usize, new_size: usize) -> *mut u8 {
    match Layout::from_size_align(new_size, align) {
        Ok(_) => HEAP.realloc(block, Layout::from_size_align_unchecked(size, align), new_size),
        Err(_) => null_mut(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn classes_dealloc(block: *mut u8, size: usize, align: usize) {
    HEAP.dealloc(block, Layout::from_size_align_unchecked(size, align))
}
