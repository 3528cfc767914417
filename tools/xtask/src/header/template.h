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

@constants@
/*
 * What travels. Reserved fields and unknown flags are zero going in; what is reserved coming out may get a meaning in a
 * newer driver. A row is the SDK's own MIB_ANYCASTIPADDRESS_ROW: a LUID that is not zero wins over the index.
 */

@structs@
/* The rows that follow a NETIO_ANYCAST_TABLE_HEADER: those of GET_TABLE, and those of LIST_LEASES. */
#define NETIO_ANYCAST_ROWS(Header) ((MIB_ANYCASTIPADDRESS_ROW *)((NETIO_ANYCAST_TABLE_HEADER *)(Header) + 1))
#define NETIO_ANYCAST_LEASE_ROWS(Header) ((NETIO_ANYCAST_LEASE_ROW *)((NETIO_ANYCAST_TABLE_HEADER *)(Header) + 1))

/* The layouts, the same for every processor. */
@assertions@
/*
 * The control codes: METHOD_BUFFERED. The input has exactly the length given; "and n of" stands for any number of those
 * after it. The output buffer has at least the length of the fixed part; rows come as far as they fit. Kernel callers
 * may send each with IRP_MJ_INTERNAL_DEVICE_CONTROL as well.
 */

@operations@
#if NETIO_ANYCAST_KERNEL_MODE

@interface@
@interface assertions@
#endif /* NETIO_ANYCAST_KERNEL_MODE */

#ifdef __cplusplus
}
#endif

#endif /* NETIO_ANYCAST_H */
