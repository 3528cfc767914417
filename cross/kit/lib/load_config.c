/*
 * What the WDK's BufferOverflowFastFailK.lib gives a driver for control-flow guard: the load configuration directory and the
 * two functions that indirect calls go through until the kernel puts its own in their place.
 *
 * Layout: the page "IMAGE_LOAD_CONFIG_DIRECTORY64" (win32/api/winnt/ns-winnt-image_load_config_directory64) and, for the guard
 * flags, "PE Format", section "Load Configuration Layout". The linker fills in what it defines as __guard_*.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

/* Defined by the linker (/guard:cf): tables of permitted targets, their sizes, and flags, as absolute symbols. */
extern u8 __guard_fids_table[], __guard_fids_count[], __guard_flags[];
extern u8 __guard_iat_table[], __guard_iat_count[];
extern u8 __guard_longjmp_table[], __guard_longjmp_count[];

/* Returns: without the kernel's check every target is permitted, as in an image without control-flow guard. */
static void check_nothing(void) {}

/* Goes to the target, which the caller has put in RAX; every other register and the stack belong to the call. */
__attribute__((naked)) static void dispatch_without_check(void) { __asm__("jmp *%rax"); }

/*
 * Read-only once loaded: the kernel writes them while it relocates the image. In a section of their own, as the format asks
 * for, so that nothing else shares its pages.
 */
__attribute__((section(".00cfg"))) void (*const __guard_check_icall_fptr)(void) = check_nothing;
__attribute__((section(".00cfg"))) void (*const __guard_dispatch_icall_fptr)(void) = dispatch_without_check;

struct load_config {
  u32 size;
  u32 time_date_stamp;
  u16 major_version;
  u16 minor_version;
  u32 global_flags_clear;
  u32 global_flags_set;
  u32 critical_section_timeout;
  u64 heap_fields[5];
  u64 process_affinity_mask;
  u32 process_heap_flags;
  u16 csd_version;
  u16 dependent_load_flags;
  u64 edit_list;
  u64 security_cookie;
  u64 se_handler_table;
  u64 se_handler_count;
  const void *guard_cf_check_function_pointer;
  const void *guard_cf_dispatch_function_pointer;
  const void *guard_cf_function_table;
  const void *guard_cf_function_count;
  const void *guard_flags; /* 32 bits, and the first two, zero, fields of CodeIntegrity: an address has no smaller type */
  u32 code_integrity_catalog_offset;
  u32 code_integrity_reserved;
  const void *guard_address_taken_iat_table;
  const void *guard_address_taken_iat_count;
  const void *guard_long_jump_table;
  const void *guard_long_jump_count;
};

_Static_assert(sizeof(struct load_config) == 0xC0, "the directory up to GuardLongJumpTargetCount");
_Static_assert(__builtin_offsetof(struct load_config, guard_cf_check_function_pointer) == 0x70, "offset of GuardCFCheckFunctionPointer");
_Static_assert(__builtin_offsetof(struct load_config, guard_address_taken_iat_table) == 0xA0, "offset of GuardAddressTakenIatEntryTable");

const struct load_config _load_config_used = {
    .size = sizeof(struct load_config),
    .guard_cf_check_function_pointer = &__guard_check_icall_fptr,
    .guard_cf_dispatch_function_pointer = &__guard_dispatch_icall_fptr,
    .guard_cf_function_table = __guard_fids_table,
    .guard_cf_function_count = __guard_fids_count,
    .guard_flags = __guard_flags,
    .guard_address_taken_iat_table = __guard_iat_table,
    .guard_address_taken_iat_count = __guard_iat_count,
    .guard_long_jump_table = __guard_longjmp_table,
    .guard_long_jump_count = __guard_longjmp_count,
};
