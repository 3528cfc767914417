/* What the partner is asked, and what its journal tells. Lengths are the same for programs (tests/partner.rs). */
#ifndef PARTNER_H
#define PARTNER_H

#include "../common/device.h"

#define PARTNER_CODE(function) ((ULONG)CTL_CODE(DEVICE_TYPE_OF_TESTS, function, METHOD_BUFFERED, FILE_ANY_ACCESS))

/* Returns the input, backwards. */
#define IOCTL_REVERSE PARTNER_CODE(0x900)
/* Input: `struct answer`. */
#define IOCTL_ANSWER PARTNER_CODE(0x901)
/* Pends until it is cancelled, its handle is cleaned up, or IOCTL_COMPLETE_PENDED comes. */
#define IOCTL_PEND PARTNER_CODE(0x902)
#define IOCTL_COMPLETE_PENDED PARTNER_CODE(0x903)
/* Output: as many `struct journal_entry` as there are. */
#define IOCTL_READ_JOURNAL PARTNER_CODE(0x904)
#define IOCTL_CLEAR_JOURNAL PARTNER_CODE(0x905)
/* Succeeds as an internal request, and as no other. */
#define IOCTL_INTERNAL PARTNER_CODE(0x906)

/*
 * Input: `struct late`. Makes two events. Completes what pends when one of them is set, from a thread of its own, and then sets the
 * other.
 */
#define IOCTL_COMPLETE_LATE PARTNER_CODE(0x907)

/* Names of events as the kernel sees them, each ended by a zero. */
struct late {
  WCHAR go[64];
  WCHAR done[64];
};

struct answer {
  NTSTATUS status;
  ULONG information;
  UCHAR fill;
  UCHAR padding[3];
};

/* What happened to a file object: an IRP_MJ_ code, or one of these. */
#define EVENT_PENDED 0x100
#define EVENT_CANCELLED 0x101
#define EVENT_COMPLETED 0x102

struct journal_entry {
  ULONG64 file;
  ULONG event;
  /* Who asked, KernelMode or UserMode; or the status of what was completed. */
  ULONG detail;
};

#define JOURNAL_LENGTH 1024

#endif /* PARTNER_H */
