/*
 * Includes the header, which asserts sizes and offsets, and asserts alignments. Compiled as C and as C++, for user and for kernel mode.
 */
#include <netio_anycast.h>

#ifdef __cplusplus
#define ALIGNMENT alignof
#else
#define ALIGNMENT _Alignof
#endif

C_ASSERT(ALIGNMENT(MIB_ANYCASTIPADDRESS_ROW) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_VERSION) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_CREATE_REQUEST) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_DELETE_REQUEST) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_TABLE_FILTER) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_TABLE_HEADER) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_APPLY_REQUEST) == 4);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_APPLY_ITEM) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_APPLY_REPLY) == 4);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_ITEM_OUTCOME) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_GENERATION) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_LEASE_FILTER) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_LEASE_ROW) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_OPERATION_COUNTERS) == 8);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_STATISTICS) == 8);

extern NETIO_ANYCAST_TABLE_HEADER *header;
C_ASSERT(sizeof(*NETIO_ANYCAST_ROWS(header)) == 48);
C_ASSERT(sizeof(*NETIO_ANYCAST_LEASE_ROWS(header)) == 72);

#if NETIO_ANYCAST_KERNEL_MODE

C_ASSERT(ALIGNMENT(NETIO_ANYCAST_INTERFACE_REQUEST) == 4);
C_ASSERT(ALIGNMENT(NETIO_ANYCAST_INTERFACE) == sizeof(PVOID));

/* The functions take what they are documented to take, and have the calling convention NTAPI. */
static NTSTATUS NTAPI create(PVOID context, const MIB_ANYCASTIPADDRESS_ROW *row, ULONG lifetime, ULONG flags,
                             MIB_ANYCASTIPADDRESS_ROW *resolved) {
  (void)context, (void)row, (void)lifetime, (void)flags, (void)resolved;
  return 0;
}

static VOID NTAPI reference(PVOID context) { (void)context; }

const NETIO_ANYCAST_INTERFACE *table(void) {
  static NETIO_ANYCAST_INTERFACE table;
  table.InterfaceReference = reference;
  table.InterfaceDereference = reference;
  table.Create = create;
  return &table;
}

#endif
