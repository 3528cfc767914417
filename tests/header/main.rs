//! `include/netio_anycast.h`, compiled for every processor, in both modes, as C and as C++, with the headers of mingw-w64 and of
//! the kit.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![forbid(unsafe_code)]

mod compiler;
mod golden;
mod layout;
