//! Links a kernel module.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for argument in ["/SUBSYSTEM:NATIVE", "/ENTRY:DriverEntry", "/NODEFAULTLIB"] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
}
