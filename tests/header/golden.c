/*
 * The values of crates/protocol/tests/contract/samples.rs, in C. Each variable has the name of its golden file.
 */
#include <netio_anycast.h>

/* NET_LUID.Info: 24 bits reserved, 24 bits of index, 16 bits of type. */
#define LUID_VALUE (6ULL << 48 | 0x0A0B0CULL << 24)
#define SCOPE 0x1000000B

#define ROW_V4                                                                                     \
  {                                                                                                \
    .Address = {.Ipv4 = {.sin_family = AF_INET, .sin_addr = {.S_un = {.S_un_b = {192, 0, 2, 1}}}}}, \
    .InterfaceLuid = {.Value = LUID_VALUE}, .InterfaceIndex = 11, .ScopeId = {.Value = SCOPE}      \
  }
#define ROW_V6                                                                                                         \
  {                                                                                                                    \
    .Address = {.Ipv6 = {.sin6_family = AF_INET6,                                                                      \
                         .sin6_addr = {.u = {.Byte = {0x20, 0x01, 0x0D, 0xB8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}}}}}, \
    .InterfaceLuid = {.Value = LUID_VALUE}, .InterfaceIndex = 11, .ScopeId = {.Value = SCOPE}                          \
  }
#define TABLE_FILTER {.Family = AF_INET6, .Index = 11, .Luid = {.Value = LUID_VALUE}}

/* The eleven counters of each operation go on from those of the one before. */
#define COUNTERS(operation)                                                                                        \
  {                                                                                                                \
    .Succeeded = (operation)*10 + 1, .Malformed = (operation)*10 + 2, .Invalid = (operation)*10 + 3,               \
    .AlreadyExists = (operation)*10 + 4, .NotFound = (operation)*10 + 5, .NotSupported = (operation)*10 + 6,       \
    .AccessDenied = (operation)*10 + 7, .NoResources = (operation)*10 + 8, .Cancelled = (operation)*10 + 9,        \
    .Failed = (operation)*10 + 10, .LastNetioFailure = (NTSTATUS)0xC000022A                                        \
  }

const MIB_ANYCASTIPADDRESS_ROW row_v4 = ROW_V4;
const MIB_ANYCASTIPADDRESS_ROW row_v6 = ROW_V6;

const NETIO_ANYCAST_VERSION version = {
    .Protocol = NETIO_ANYCAST_PROTOCOL_VERSION,
    .MaxApplyItems = NETIO_ANYCAST_MAX_APPLY_ITEMS,
    .Driver = {1, 2, 3, 4},
    .Features = NETIO_ANYCAST_FEATURE_ANYCAST | NETIO_ANYCAST_FEATURE_LEASES | NETIO_ANYCAST_FEATURE_BATCHES |
                NETIO_ANYCAST_FEATURE_CHANGE_WAITS | NETIO_ANYCAST_FEATURE_STATISTICS,
    .MaxLeasesPerHandle = 4096,
    .MaxLeases = 16384,
    .MaxPendingWaits = 1024,
};

const NETIO_ANYCAST_CREATE_REQUEST create_request = {
    .Row = ROW_V6, .Lifetime = NETIO_ANYCAST_LIFETIME_HANDLE, .Flags = NETIO_ANYCAST_CREATE_SHARED};
const NETIO_ANYCAST_DELETE_REQUEST delete_request = {.Row = ROW_V4, .Flags = NETIO_ANYCAST_DELETE_FORCE};

const NETIO_ANYCAST_TABLE_FILTER table_filter = TABLE_FILTER;
const NETIO_ANYCAST_TABLE_HEADER table_header = {.Count = 2, .Total = 3, .Generation = 0x0102030405060708};

const NETIO_ANYCAST_APPLY_REQUEST apply_request = {.Flags = NETIO_ANYCAST_APPLY_ATOMIC, .Count = 2};
const NETIO_ANYCAST_APPLY_ITEM apply_item = {
    .Row = ROW_V6, .Action = NETIO_ANYCAST_APPLY_ACTION_DELETE, .Lifetime = 1, .Flags = 3};
const NETIO_ANYCAST_APPLY_REPLY apply_reply = {.Count = 2, .NotApplied = 1};
const NETIO_ANYCAST_ITEM_OUTCOME item_outcome = {
    .Status = (NTSTATUS)0xC000022B, /* STATUS_OBJECTID_EXISTS */
    .NetioStatus = 5010,            /* ERROR_OBJECT_ALREADY_EXISTS */
    .Win32 = 5010,
    .Field = NETIO_ANYCAST_FIELD_INTERFACE,
    .State = NETIO_ANYCAST_ITEM_STATE_ROLLBACK_FAILED,
};

const NETIO_ANYCAST_GENERATION generation = 0x0102030405060708;

const NETIO_ANYCAST_LEASE_FILTER lease_filter = {.Table = TABLE_FILTER, .ProcessId = 4242};
const NETIO_ANYCAST_LEASE_ROW lease_row = {
    .Row = ROW_V4, .Lifetime = 1, .Flags = 2, .Holders = 3, .ProcessId = 4242, .Age = 0x000100000005};

const NETIO_ANYCAST_STATISTICS statistics = {
    .Operations = {COUNTERS(0), COUNTERS(1), COUNTERS(2), COUNTERS(3), COUNTERS(4), COUNTERS(5), COUNTERS(6), COUNTERS(7),
                   COUNTERS(8), COUNTERS(9), COUNTERS(10), COUNTERS(11), COUNTERS(12), COUNTERS(13), COUNTERS(14), COUNTERS(15)},
    .UnknownCodes = 1001,
    .LiveLeases = 1002,
    .PendingWaits = 1003,
    .WithdrawalRetries = 1004,
    .Generation = 1005,
};

#if NETIO_ANYCAST_KERNEL_MODE
const NETIO_ANYCAST_INTERFACE_REQUEST interface_request = {.Size = 72, .Version = NETIO_ANYCAST_INTERFACE_VERSION};
#endif
