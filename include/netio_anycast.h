/*
 * The contract of the netio-anycast driver, version 1, for C and C++ in user mode and in kernel mode.
 *
 * Written by `cargo xtask header` from crates/protocol: don't edit it. docs/protocol.md tells what every operation
 * does, and docs/kernel-clients.md how to write a driver that uses this one.
 *
 * In user mode include it before <windows.h>, or after <winsock2.h>. In kernel mode include it after <wdm.h>, <ntddk.h>
 * or <ntifs.h>, or define _KERNEL_MODE, as the compiler's option /kernel does. It needs C11 or C++11, and Windows 10
 * headers (_WIN32_WINNT 0x0A00).
 *
 * Only STATUS_SUCCESS is success, except that GET_TABLE and LIST_LEASES end with STATUS_BUFFER_OVERFLOW (in user mode:
 * ERROR_MORE_DATA) when more rows exist than fitted. NT_SUCCESS is not the question to ask.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef NETIO_ANYCAST_H
#define NETIO_ANYCAST_H

#if defined(_KERNEL_MODE) || defined(_WDMDDK_) || defined(_NTDDK_) || defined(_NTIFS_)
#define NETIO_ANYCAST_KERNEL_MODE 1
#include <wdm.h>
#include <netioapi.h>
#else
#define NETIO_ANYCAST_KERNEL_MODE 0
#include <winsock2.h>
#include <ws2ipdef.h>
#include <iphlpapi.h>
#include <winioctl.h>
/* As the SDK's own user-mode headers declare it, which all may at once. */
#ifndef _NTDEF_
typedef LONG NTSTATUS;
#endif
#endif
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a program opens with CreateFileW. */
#define NETIO_ANYCAST_DEVICE_PATH L"\\\\.\\NetioAnycast"

/* The device, for IoGetDeviceObjectPointer. */
#define NETIO_ANYCAST_DEVICE_NAME L"\\Device\\NetioAnycast"

/* The callback object by which the driver tells other drivers that it is there. */
#define NETIO_ANYCAST_CALLBACK_NAME L"\\Callback\\NetioAnycast"

/* The driver's service. */
#define NETIO_ANYCAST_SERVICE_NAME L"netio_anycast"

/* The version of this contract, as QUERY_VERSION tells it. */
#define NETIO_ANYCAST_PROTOCOL_VERSION 1

/* The version of the direct-call interface. */
#define NETIO_ANYCAST_INTERFACE_VERSION 1

/* The most items that any driver takes in one APPLY. */
#define NETIO_ANYCAST_MAX_APPLY_ITEMS 65536

/* The rows of counters in QUERY_STATISTICS. */
#define NETIO_ANYCAST_OPERATION_ROWS 16

/* The device type of the control codes. */
#define NETIO_ANYCAST_DEVICE_TYPE 0x8ACAUL

/* Feature bits of QUERY_VERSION. */
#define NETIO_ANYCAST_FEATURE_ANYCAST 0x1ULL
#define NETIO_ANYCAST_FEATURE_LEASES 0x2ULL
#define NETIO_ANYCAST_FEATURE_BATCHES 0x4ULL
#define NETIO_ANYCAST_FEATURE_CHANGE_WAITS 0x8ULL
#define NETIO_ANYCAST_FEATURE_STATISTICS 0x10ULL

/* Flags of CREATE. */
#define NETIO_ANYCAST_CREATE_SHARED 0x1UL

/* Flags of DELETE. */
#define NETIO_ANYCAST_DELETE_FORCE 0x1UL

/* Flags of APPLY. */
#define NETIO_ANYCAST_APPLY_ATOMIC 0x1UL

/*
 * What travels. Reserved fields and unknown flags are zero going in; what is reserved coming out may get a meaning in a
 * newer driver. A row is the SDK's own MIB_ANYCASTIPADDRESS_ROW: a LUID that is not zero wins over the index.
 */

/* How long an address stays once it was created. */
enum {
  /* Until somebody deletes it or the interface or the system goes: NetIO's own behaviour. */
  NETIO_ANYCAST_LIFETIME_UNOWNED = 0,
  /* A lease: until the handle that created it is cleaned up. */
  NETIO_ANYCAST_LIFETIME_HANDLE = 1,
};

/* What an item of a batch does. */
enum {
  /* As CREATE does. */
  NETIO_ANYCAST_APPLY_ACTION_CREATE = 1,
  /* As DELETE does. */
  NETIO_ANYCAST_APPLY_ACTION_DELETE = 2,
};

/* Which field of an item was at fault. */
enum {
  /* None: it was applied, or NetIO refused it for a reason that is no field's. */
  NETIO_ANYCAST_FIELD_NONE = 0,
  /* The address family. */
  NETIO_ANYCAST_FIELD_FAMILY = 1,
  /* The address. */
  NETIO_ANYCAST_FIELD_ADDRESS = 2,
  /* The interface: its LUID or its index. */
  NETIO_ANYCAST_FIELD_INTERFACE = 3,
  /* The lifetime. */
  NETIO_ANYCAST_FIELD_LIFETIME = 4,
  /* The flags, or something reserved. */
  NETIO_ANYCAST_FIELD_FLAGS = 5,
};

/* What became of an item. */
enum {
  /* Done. */
  NETIO_ANYCAST_ITEM_STATE_APPLIED = 1,
  /* Refused. */
  NETIO_ANYCAST_ITEM_STATE_FAILED = 2,
  /* An earlier item of an atomic batch failed first. */
  NETIO_ANYCAST_ITEM_STATE_NOT_ATTEMPTED = 3,
  /* Done, then undone since a later item of the atomic batch failed. */
  NETIO_ANYCAST_ITEM_STATE_ROLLED_BACK = 4,
  /* Done, and NetIO refused to undo it. */
  NETIO_ANYCAST_ITEM_STATE_ROLLBACK_FAILED = 5,
};

/* The output of QUERY_VERSION. */
typedef struct {
  /* NETIO_ANYCAST_PROTOCOL_VERSION of the driver. */
  ULONG Protocol;
  /* The most items that APPLY takes; zero without NETIO_ANYCAST_FEATURE_BATCHES. */
  ULONG MaxApplyItems;
  /* The driver's own version: major, minor, patch, build. */
  USHORT Driver[4];
  /* NETIO_ANYCAST_FEATURE_... as bits. Unknown ones are of a newer driver and to be ignored. */
  ULONG64 Features;
  /* The most leases that one handle may hold; zero without NETIO_ANYCAST_FEATURE_LEASES. */
  ULONG MaxLeasesPerHandle;
  /* The most leases in total; zero without NETIO_ANYCAST_FEATURE_LEASES. */
  ULONG MaxLeases;
  /* The most WAIT_CHANGE requests pending at once; zero without NETIO_ANYCAST_FEATURE_CHANGE_WAITS. */
  ULONG MaxPendingWaits;
  /* Zero. */
  ULONG Reserved;
} NETIO_ANYCAST_VERSION;

/* The input of CREATE. The output is the row as resolved. */
typedef struct {
  /* The address and the interface. */
  MIB_ANYCASTIPADDRESS_ROW Row;
  /* A NETIO_ANYCAST_LIFETIME_... */
  ULONG Lifetime;
  /* NETIO_ANYCAST_CREATE_... */
  ULONG Flags;
} NETIO_ANYCAST_CREATE_REQUEST;

/* The input of DELETE. */
typedef struct {
  /* The address and the interface. */
  MIB_ANYCASTIPADDRESS_ROW Row;
  /* NETIO_ANYCAST_DELETE_... */
  ULONG Flags;
  /* Zero. */
  ULONG Reserved;
} NETIO_ANYCAST_DELETE_REQUEST;

/* The input of GET_TABLE: which rows. */
typedef struct {
  /* One family, or AF_UNSPEC for both. */
  ADDRESS_FAMILY Family;
  /* Zero. */
  USHORT Reserved;
  /* With no LUID: one interface by index, or zero for all. */
  ULONG Index;
  /* One interface by LUID, or zero. */
  NET_LUID Luid;
} NETIO_ANYCAST_TABLE_FILTER;

/*
 * The fixed part of the output of GET_TABLE and LIST_LEASES; Count rows follow it, sorted by LUID, family and address.
 */
typedef struct {
  /* The rows that follow. */
  ULONG Count;
  /* The rows that there are. More than Count: the status is STATUS_BUFFER_OVERFLOW, call again with more room. */
  ULONG Total;
  /* The driver's generation before the table was read: WAIT_CHANGE from it misses nothing. */
  ULONG64 Generation;
} NETIO_ANYCAST_TABLE_HEADER;

/* The fixed part of the input of APPLY; Count NETIO_ANYCAST_APPLY_ITEMs follow it. */
typedef struct {
  /* NETIO_ANYCAST_APPLY_... */
  ULONG Flags;
  /* The items that follow: exactly those that the input length has room for. */
  ULONG Count;
} NETIO_ANYCAST_APPLY_REQUEST;

/* One item of a batch. */
typedef struct {
  /* The address and the interface. */
  MIB_ANYCASTIPADDRESS_ROW Row;
  /* A NETIO_ANYCAST_APPLY_ACTION_... */
  ULONG Action;
  /* A NETIO_ANYCAST_LIFETIME_... for a creation, zero for a deletion. */
  ULONG Lifetime;
  /* NETIO_ANYCAST_CREATE_... or NETIO_ANYCAST_DELETE_... */
  ULONG Flags;
  /* Zero. */
  ULONG Reserved;
} NETIO_ANYCAST_APPLY_ITEM;

/* The fixed part of the output of APPLY; Count NETIO_ANYCAST_ITEM_OUTCOMEs follow it, in the order of the items. */
typedef struct {
  /* The outcomes that follow: as many as there were items. */
  ULONG Count;
  /* The items that are not NETIO_ANYCAST_ITEM_STATE_APPLIED. */
  ULONG NotApplied;
} NETIO_ANYCAST_APPLY_REPLY;

/* What became of one item, and why: 16 bytes. */
typedef struct DECLSPEC_ALIGN(8) {
  /* What a single CREATE or DELETE would have ended with. */
  NTSTATUS Status;
  /* What NetIO itself said; zero if it was not asked. */
  NTSTATUS NetioStatus;
  /* Status as Win32 has it. */
  ULONG Win32;
  /* A NETIO_ANYCAST_FIELD_... */
  UCHAR Field;
  /* A NETIO_ANYCAST_ITEM_STATE_... */
  UCHAR State;
  /* Zero. */
  USHORT Reserved;
} NETIO_ANYCAST_ITEM_OUTCOME;

/*
 * The input and the output of WAIT_CHANGE: a number that moves with every change.
 *
 * The input is the generation that the caller has seen, from GET_TABLE or an earlier WAIT_CHANGE; the request pends
 * until the driver's own differs, and the output is the driver's.
 */
typedef ULONG64 NETIO_ANYCAST_GENERATION;

/* The input of LIST_LEASES: which leases. */
typedef struct {
  /* By family and interface, as GET_TABLE filters. */
  NETIO_ANYCAST_TABLE_FILTER Table;
  /* The leases that this process holds, or zero for those of all. */
  ULONG ProcessId;
  /* Zero. */
  ULONG Reserved;
} NETIO_ANYCAST_LEASE_FILTER;

/* One lease. */
typedef struct {
  /* The address and the interface. */
  MIB_ANYCASTIPADDRESS_ROW Row;
  /* A NETIO_ANYCAST_LIFETIME_... */
  ULONG Lifetime;
  /* The NETIO_ANYCAST_CREATE_... that it was created with. */
  ULONG Flags;
  /* The handles that hold it. */
  ULONG Holders;
  /* The process that opened the handle which created it. */
  ULONG ProcessId;
  /* How long ago it was created, in milliseconds. */
  ULONG64 Age;
} NETIO_ANYCAST_LEASE_ROW;

/* How the requests of one operation ended. */
typedef struct {
  /* STATUS_SUCCESS, and the warning STATUS_BUFFER_OVERFLOW. */
  ULONG64 Succeeded;
  /* Malformed: refused before anything was done. */
  ULONG64 Malformed;
  /* STATUS_INVALID_PARAMETER for a well-formed request. */
  ULONG64 Invalid;
  /* Already exists. */
  ULONG64 AlreadyExists;
  /* STATUS_NOT_FOUND. */
  ULONG64 NotFound;
  /* STATUS_NOT_SUPPORTED. */
  ULONG64 NotSupported;
  /* STATUS_ACCESS_DENIED and STATUS_PRIVILEGE_NOT_HELD. */
  ULONG64 AccessDenied;
  /* No memory or no quota. */
  ULONG64 NoResources;
  /* Cancelled. */
  ULONG64 Cancelled;
  /* Any other failure. */
  ULONG64 Failed;
  /*
   * What NetIO itself said, before mapping, when a request of this operation last failed by it; STATUS_SUCCESS if none
   * has.
   */
  NTSTATUS LastNetioFailure;
  /* Zero. */
  ULONG Reserved;
} NETIO_ANYCAST_OPERATION_COUNTERS;

/*
 * The output of QUERY_STATISTICS. A request is counted when it ends, so the counters do not yet have the one that reads
 * them.
 */
typedef struct {
  /* By operation, in its order. */
  NETIO_ANYCAST_OPERATION_COUNTERS Operations[NETIO_ANYCAST_OPERATION_ROWS];
  /* Control codes that are no operation's. */
  ULONG64 UnknownCodes;
  /* Leases held now. */
  ULONG64 LiveLeases;
  /* WAIT_CHANGE requests pending now. */
  ULONG64 PendingWaits;
  /* Withdrawals that NetIO refused and that were tried again. */
  ULONG64 WithdrawalRetries;
  /* The generation now. */
  ULONG64 Generation;
  /* Zero. */
  ULONG64 Reserved[3];
} NETIO_ANYCAST_STATISTICS;

/* The rows that follow a NETIO_ANYCAST_TABLE_HEADER: those of GET_TABLE, and those of LIST_LEASES. */
#define NETIO_ANYCAST_ROWS(Header) ((MIB_ANYCASTIPADDRESS_ROW *)((NETIO_ANYCAST_TABLE_HEADER *)(Header) + 1))
#define NETIO_ANYCAST_LEASE_ROWS(Header) ((NETIO_ANYCAST_LEASE_ROW *)((NETIO_ANYCAST_TABLE_HEADER *)(Header) + 1))

/* The layouts, the same for every processor. */
C_ASSERT(sizeof(MIB_ANYCASTIPADDRESS_ROW) == 48);
C_ASSERT(offsetof(MIB_ANYCASTIPADDRESS_ROW, Address) == 0);
C_ASSERT(offsetof(MIB_ANYCASTIPADDRESS_ROW, InterfaceLuid) == 32);
C_ASSERT(offsetof(MIB_ANYCASTIPADDRESS_ROW, InterfaceIndex) == 40);
C_ASSERT(offsetof(MIB_ANYCASTIPADDRESS_ROW, ScopeId) == 44);
C_ASSERT(sizeof(NETIO_ANYCAST_GENERATION) == 8);
C_ASSERT(sizeof(NETIO_ANYCAST_VERSION) == 40);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, Protocol) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, MaxApplyItems) == 4);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, Driver) == 8);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, Features) == 16);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, MaxLeasesPerHandle) == 24);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, MaxLeases) == 28);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, MaxPendingWaits) == 32);
C_ASSERT(offsetof(NETIO_ANYCAST_VERSION, Reserved) == 36);
C_ASSERT(sizeof(NETIO_ANYCAST_CREATE_REQUEST) == 56);
C_ASSERT(offsetof(NETIO_ANYCAST_CREATE_REQUEST, Row) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_CREATE_REQUEST, Lifetime) == 48);
C_ASSERT(offsetof(NETIO_ANYCAST_CREATE_REQUEST, Flags) == 52);
C_ASSERT(sizeof(NETIO_ANYCAST_DELETE_REQUEST) == 56);
C_ASSERT(offsetof(NETIO_ANYCAST_DELETE_REQUEST, Row) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_DELETE_REQUEST, Flags) == 48);
C_ASSERT(offsetof(NETIO_ANYCAST_DELETE_REQUEST, Reserved) == 52);
C_ASSERT(sizeof(NETIO_ANYCAST_TABLE_FILTER) == 16);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_FILTER, Family) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_FILTER, Reserved) == 2);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_FILTER, Index) == 4);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_FILTER, Luid) == 8);
C_ASSERT(sizeof(NETIO_ANYCAST_TABLE_HEADER) == 16);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_HEADER, Count) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_HEADER, Total) == 4);
C_ASSERT(offsetof(NETIO_ANYCAST_TABLE_HEADER, Generation) == 8);
C_ASSERT(sizeof(NETIO_ANYCAST_APPLY_REQUEST) == 8);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_REQUEST, Flags) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_REQUEST, Count) == 4);
C_ASSERT(sizeof(NETIO_ANYCAST_APPLY_ITEM) == 64);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_ITEM, Row) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_ITEM, Action) == 48);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_ITEM, Lifetime) == 52);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_ITEM, Flags) == 56);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_ITEM, Reserved) == 60);
C_ASSERT(sizeof(NETIO_ANYCAST_APPLY_REPLY) == 8);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_REPLY, Count) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_APPLY_REPLY, NotApplied) == 4);
C_ASSERT(sizeof(NETIO_ANYCAST_ITEM_OUTCOME) == 16);
C_ASSERT(offsetof(NETIO_ANYCAST_ITEM_OUTCOME, Status) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_ITEM_OUTCOME, NetioStatus) == 4);
C_ASSERT(offsetof(NETIO_ANYCAST_ITEM_OUTCOME, Win32) == 8);
C_ASSERT(offsetof(NETIO_ANYCAST_ITEM_OUTCOME, Field) == 12);
C_ASSERT(offsetof(NETIO_ANYCAST_ITEM_OUTCOME, State) == 13);
C_ASSERT(offsetof(NETIO_ANYCAST_ITEM_OUTCOME, Reserved) == 14);
C_ASSERT(sizeof(NETIO_ANYCAST_LEASE_FILTER) == 24);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_FILTER, Table) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_FILTER, ProcessId) == 16);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_FILTER, Reserved) == 20);
C_ASSERT(sizeof(NETIO_ANYCAST_LEASE_ROW) == 72);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_ROW, Row) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_ROW, Lifetime) == 48);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_ROW, Flags) == 52);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_ROW, Holders) == 56);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_ROW, ProcessId) == 60);
C_ASSERT(offsetof(NETIO_ANYCAST_LEASE_ROW, Age) == 64);
C_ASSERT(sizeof(NETIO_ANYCAST_OPERATION_COUNTERS) == 88);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, Succeeded) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, Malformed) == 8);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, Invalid) == 16);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, AlreadyExists) == 24);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, NotFound) == 32);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, NotSupported) == 40);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, AccessDenied) == 48);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, NoResources) == 56);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, Cancelled) == 64);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, Failed) == 72);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, LastNetioFailure) == 80);
C_ASSERT(offsetof(NETIO_ANYCAST_OPERATION_COUNTERS, Reserved) == 84);
C_ASSERT(sizeof(NETIO_ANYCAST_STATISTICS) == 1472);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, Operations) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, UnknownCodes) == 1408);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, LiveLeases) == 1416);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, PendingWaits) == 1424);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, WithdrawalRetries) == 1432);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, Generation) == 1440);
C_ASSERT(offsetof(NETIO_ANYCAST_STATISTICS, Reserved) == 1448);

/*
 * The control codes: METHOD_BUFFERED. The input has exactly the length given; "and n of" stands for any number of those
 * after it. The output buffer has at least the length of the fixed part; rows come as far as they fit. Kernel callers
 * may send each with IRP_MJ_INTERNAL_DEVICE_CONTROL as well.
 */

/*
 * QUERY_VERSION: tells versions, features and limits.
 * Input: none.
 * Output: NETIO_ANYCAST_VERSION, 40 bytes.
 * Needs GENERIC_READ, and a driver with NETIO_ANYCAST_FEATURE_ANYCAST.
 */
#define IOCTL_NETIO_ANYCAST_QUERY_VERSION \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x800, METHOD_BUFFERED, FILE_READ_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_QUERY_VERSION == 0x8ACA6000);

/*
 * CREATE: adds an anycast address to an interface.
 * Input: NETIO_ANYCAST_CREATE_REQUEST, 56 bytes.
 * Output: MIB_ANYCASTIPADDRESS_ROW, 48 bytes.
 * Needs GENERIC_WRITE, and a driver with NETIO_ANYCAST_FEATURE_ANYCAST.
 */
#define IOCTL_NETIO_ANYCAST_CREATE \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x801, METHOD_BUFFERED, FILE_WRITE_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_CREATE == 0x8ACAA004);

/*
 * DELETE: removes an anycast address from an interface.
 * Input: NETIO_ANYCAST_DELETE_REQUEST, 56 bytes.
 * Output: none.
 * Needs GENERIC_WRITE, and a driver with NETIO_ANYCAST_FEATURE_ANYCAST.
 */
#define IOCTL_NETIO_ANYCAST_DELETE \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x802, METHOD_BUFFERED, FILE_WRITE_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_DELETE == 0x8ACAA008);

/*
 * GET: reads one anycast address.
 * Input: MIB_ANYCASTIPADDRESS_ROW, 48 bytes.
 * Output: MIB_ANYCASTIPADDRESS_ROW, 48 bytes.
 * Needs GENERIC_READ, and a driver with NETIO_ANYCAST_FEATURE_ANYCAST.
 */
#define IOCTL_NETIO_ANYCAST_GET \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x803, METHOD_BUFFERED, FILE_READ_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_GET == 0x8ACA600C);

/*
 * GET_TABLE: lists anycast addresses.
 * Input: NETIO_ANYCAST_TABLE_FILTER, 16 bytes.
 * Output: NETIO_ANYCAST_TABLE_HEADER, 16 bytes, and n of MIB_ANYCASTIPADDRESS_ROW, 48 bytes each.
 * Needs GENERIC_READ, and a driver with NETIO_ANYCAST_FEATURE_ANYCAST.
 */
#define IOCTL_NETIO_ANYCAST_GET_TABLE \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x804, METHOD_BUFFERED, FILE_READ_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_GET_TABLE == 0x8ACA6010);

/*
 * APPLY: creates and deletes many addresses.
 * Input: NETIO_ANYCAST_APPLY_REQUEST, 8 bytes, and n of NETIO_ANYCAST_APPLY_ITEM, 64 bytes each.
 * Output: NETIO_ANYCAST_APPLY_REPLY, 8 bytes, and n of NETIO_ANYCAST_ITEM_OUTCOME, 16 bytes each.
 * Needs GENERIC_WRITE, and a driver with NETIO_ANYCAST_FEATURE_BATCHES.
 */
#define IOCTL_NETIO_ANYCAST_APPLY \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x805, METHOD_BUFFERED, FILE_WRITE_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_APPLY == 0x8ACAA014);

/*
 * WAIT_CHANGE: ends when the generation is no longer the one given.
 * Input: NETIO_ANYCAST_GENERATION, 8 bytes.
 * Output: NETIO_ANYCAST_GENERATION, 8 bytes.
 * Needs GENERIC_READ, and a driver with NETIO_ANYCAST_FEATURE_CHANGE_WAITS.
 */
#define IOCTL_NETIO_ANYCAST_WAIT_CHANGE \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x806, METHOD_BUFFERED, FILE_READ_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_WAIT_CHANGE == 0x8ACA6018);

/*
 * LIST_LEASES: lists leases.
 * Input: NETIO_ANYCAST_LEASE_FILTER, 24 bytes.
 * Output: NETIO_ANYCAST_TABLE_HEADER, 16 bytes, and n of NETIO_ANYCAST_LEASE_ROW, 72 bytes each.
 * Needs GENERIC_READ, and a driver with NETIO_ANYCAST_FEATURE_LEASES.
 */
#define IOCTL_NETIO_ANYCAST_LIST_LEASES \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x807, METHOD_BUFFERED, FILE_READ_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_LIST_LEASES == 0x8ACA601C);

/*
 * QUERY_STATISTICS: reads the driver's counters.
 * Input: none.
 * Output: NETIO_ANYCAST_STATISTICS, 1472 bytes.
 * Needs GENERIC_READ, and a driver with NETIO_ANYCAST_FEATURE_STATISTICS.
 */
#define IOCTL_NETIO_ANYCAST_QUERY_STATISTICS \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0x808, METHOD_BUFFERED, FILE_READ_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_QUERY_STATISTICS == 0x8ACA6020);

/*
 * QUERY_INTERFACE: returns the direct-call interface. Kernel mode only, with IRP_MJ_INTERNAL_DEVICE_CONTROL.
 * Input: NETIO_ANYCAST_INTERFACE_REQUEST, 8 bytes.
 * Output: NETIO_ANYCAST_INTERFACE.
 */
#define IOCTL_NETIO_ANYCAST_QUERY_INTERFACE \
  CTL_CODE(NETIO_ANYCAST_DEVICE_TYPE, 0xF00, METHOD_BUFFERED, FILE_READ_ACCESS | FILE_WRITE_ACCESS)
C_ASSERT(IOCTL_NETIO_ANYCAST_QUERY_INTERFACE == 0x8ACAFC00);

#if NETIO_ANYCAST_KERNEL_MODE

/*
 * What the driver tells: Argument1 of the callback routine. Argument2 is null.
 *
 * The routine is called at PASSIVE_LEVEL, in the thread that loads or unloads the driver, which waits meanwhile.
 */
enum {
  /*
   * The device can be opened. It is told once while the driver is loaded; who registers later is told nothing, so a
   * client registers first and then tries to open the device.
   */
  NETIO_ANYCAST_NOTICE_READY = 1,
  /*
   * The device can't be opened any more. Nobody has it open then, and nobody has a direct-call interface: either keeps
   * the driver loaded.
   */
  NETIO_ANYCAST_NOTICE_GOING = 2,
};

/* The input of QUERY_INTERFACE. The output is a NETIO_ANYCAST_INTERFACE. */
typedef struct {
  /* The length of the table that this version has: sizeof(NETIO_ANYCAST_INTERFACE). */
  USHORT Size;
  /* The version asked for: NETIO_ANYCAST_INTERFACE_VERSION. */
  USHORT Version;
  /* Zero. */
  ULONG Reserved;
} NETIO_ANYCAST_INTERFACE_REQUEST;

/*
 * The direct-call interface: what NETIO_ANYCAST_INTERFACE_REQUEST asks for.
 *
 * The table comes with one reference to its context, which is the caller's to give back. As long as a reference is
 * held, the driver stays loaded; with the last one the context's leases are withdrawn and the context is gone. A table
 * that was asked for again has another context.
 *
 * Every function takes the context first, and may be called by any number of threads at a time. InterfaceReference and
 * InterfaceDereference may be called at IRQL <= DISPATCH_LEVEL; the withdrawal then happens later, in a system thread.
 * The others are for PASSIVE_LEVEL, and above that return STATUS_INVALID_DEVICE_STATE without calling NetIO. They end
 * with the statuses that the operation of their name ends with, and run in the calling thread, so in its network
 * compartment.
 */
typedef struct {
  /* sizeof(NETIO_ANYCAST_INTERFACE). */
  USHORT Size;
  /* NETIO_ANYCAST_INTERFACE_VERSION. */
  USHORT Version;
  /* What every function takes first. */
  VOID *Context;
  /* Takes one more reference to the context. */
  VOID (NTAPI *InterfaceReference)(VOID *Context);
  /* Gives one reference to the context back. */
  VOID (NTAPI *InterfaceDereference)(VOID *Context);
  /*
   * CREATE. Lifetime and flags are those of NETIO_ANYCAST_CREATE_REQUEST; a lease is the context's. Resolved receives
   * the row as resolved, on success only, and may be null.
   */
  NTSTATUS (NTAPI *Create)(
      VOID *Context,
      const MIB_ANYCASTIPADDRESS_ROW *Row,
      ULONG Lifetime,
      ULONG Flags,
      MIB_ANYCASTIPADDRESS_ROW *Resolved);
  /* DELETE. The flags are those of NETIO_ANYCAST_DELETE_REQUEST. */
  NTSTATUS (NTAPI *Delete)(VOID *Context, const MIB_ANYCASTIPADDRESS_ROW *Row, ULONG Flags);
  /* GET. The row is filled in on success only. */
  NTSTATUS (NTAPI *Get)(VOID *Context, MIB_ANYCASTIPADDRESS_ROW *Row);
  /*
   * GET_TABLE, the whole of it: the header's Count is its Total, and so many rows follow it. Filter may be null, which
   * means everything. Table receives the table, on success only; it is given back with FreeTable.
   */
  NTSTATUS (NTAPI *GetTable)(
      VOID *Context,
      const NETIO_ANYCAST_TABLE_FILTER *Filter,
      NETIO_ANYCAST_TABLE_HEADER **Table);
  /* Frees a table, or does nothing if it is null. IRQL <= DISPATCH_LEVEL. */
  VOID (NTAPI *FreeTable)(VOID *Context, NETIO_ANYCAST_TABLE_HEADER *Table);
} NETIO_ANYCAST_INTERFACE;

C_ASSERT(sizeof(NETIO_ANYCAST_INTERFACE_REQUEST) == 8);
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE_REQUEST, Size) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE_REQUEST, Version) == 2);
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE_REQUEST, Reserved) == 4);
C_ASSERT(sizeof(NETIO_ANYCAST_INTERFACE) == 9 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, Size) == 0);
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, Version) == 2);
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, Context) == 1 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, InterfaceReference) == 2 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, InterfaceDereference) == 3 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, Create) == 4 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, Delete) == 5 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, Get) == 6 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, GetTable) == 7 * sizeof(PVOID));
C_ASSERT(offsetof(NETIO_ANYCAST_INTERFACE, FreeTable) == 8 * sizeof(PVOID));

#endif /* NETIO_ANYCAST_KERNEL_MODE */

#ifdef __cplusplus
}
#endif

#endif /* NETIO_ANYCAST_H */
