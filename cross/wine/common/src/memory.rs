//! What compiled code calls to copy and compare memory: the kernel's own functions.

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    #[expect(dead_code, reason = "the compiler calls it")]
    fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8;
    #[expect(dead_code, reason = "the compiler calls it")]
    fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8;
    #[expect(dead_code, reason = "the compiler calls it")]
    fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8;
    #[expect(dead_code, reason = "the compiler calls it")]
    fn memcmp(left: *const u8, right: *const u8, length: usize) -> i32;
}
