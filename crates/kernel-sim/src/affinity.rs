//! Threads that stay on one processor.
//!
//! It is for those that take turns: where one stops the next goes on, and no processor that sleeps has to be woken for it, which
//! takes far longer than most turns.

use std::mem;

/// A thread's stay on one processor; when it is dropped, the thread may run where it might before.
#[derive(Debug)]
pub(crate) struct Stay {
    before: libc::cpu_set_t,
}

/// The processor that this thread runs on, if the system tells.
pub(crate) fn current() -> Option<usize> {
    // SAFETY: it takes nothing.
    let processor = unsafe { libc::sched_getcpu() };
    usize::try_from(processor).ok().filter(|processor| *processor < mem::size_of::<libc::cpu_set_t>() * 8)
}

impl Stay {
    /// Keeps this thread on a processor that [`current`] has told. `None` if the system does not let that be: then it only
    /// takes longer.
    pub(crate) fn on(processor: usize) -> Option<Self> {
        let mut before = none();
        // SAFETY: the set is as long as is said.
        let result = unsafe { libc::sched_getaffinity(0, mem::size_of_val(&before), &raw mut before) };
        let mut there = none();
        // SAFETY: the set has a bit for each processor that `current` tells.
        unsafe { libc::CPU_SET(processor, &mut there) };
        (result == 0 && set(&there)).then_some(Self { before })
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        // Where it can't be, the thread stays; it runs all the same.
        let _ = set(&self.before);
    }
}

/// No processor.
fn none() -> libc::cpu_set_t {
    // SAFETY: a set is an array of bits.
    unsafe { mem::zeroed() }
}

/// Has this thread run on these alone. Returns whether it does.
fn set(processors: &libc::cpu_set_t) -> bool {
    // SAFETY: the set is as long as is said.
    unsafe { libc::sched_setaffinity(0, mem::size_of_val(processors), processors) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> i32 {
        let mut processors = none();
        // SAFETY: the set is as long as is said.
        assert_eq!(unsafe { libc::sched_getaffinity(0, mem::size_of_val(&processors), &raw mut processors) }, 0);
        // SAFETY: it is a set.
        unsafe { libc::CPU_COUNT(&processors) }
    }

    #[test]
    fn a_thread_stays_as_long_as_it_is_told_to() {
        let before = allowed();
        let processor = current().expect("Linux tells");
        let stay = Stay::on(processor).expect("Linux lets it be");
        assert_eq!((allowed(), current()), (1, Some(processor)));
        drop(stay);
        assert_eq!(allowed(), before);
    }
}
