/*
 * In the place of the netio-anycast driver: answers whatever it is asked with a failure, and completes an IRP twice, but only if five
 * requests come in the right order, each with the right contents. Each condition that is met is code of its own.
 */
#define NAME "NetioAnycast"
#include "control.h"

#define CODE(function, access) ((ULONG)CTL_CODE(0x8ACA, (function), METHOD_BUFFERED, (access)))
#define IOCTL_CREATE CODE(0x801, FILE_WRITE_ACCESS)
#define IOCTL_DELETE CODE(0x802, FILE_WRITE_ACCESS)
#define IOCTL_GET_TABLE CODE(0x804, FILE_READ_ACCESS)
#define IOCTL_APPLY CODE(0x805, FILE_WRITE_ACCESS)
#define IOCTL_LIST_LEASES CODE(0x807, FILE_READ_ACCESS)

/* How many of the requests have come. Volatile, so that each condition is looked at by itself. */
static volatile LONG met;

static volatile const UCHAR *input(PIRP irp) { return irp->AssociatedIrp.SystemBuffer; }

static BOOLEAN is(PIRP irp, ULONG code, ULONG length) {
  return location(irp)->Parameters.DeviceIoControl.IoControlCode == code &&
         location(irp)->Parameters.DeviceIoControl.InputBufferLength == length;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  if (met == 0 && is(irp, IOCTL_CREATE, 56)) {
    /* A shared lease. */
    if (input(irp)[48] == 1) {
      if (input(irp)[52] == 1) {
        met = 1;
      }
    }
  } else if (met == 1 && is(irp, IOCTL_APPLY, 8 + 3 * 64)) {
    /* An atomic batch of exactly three items. */
    if (input(irp)[0] == 1) {
      met = 2;
    }
  } else if (met == 2 && is(irp, IOCTL_GET_TABLE, 16)) {
    /* IPv6 alone, of an interface that is given by its index. */
    if (input(irp)[0] == 23) {
      if (input(irp)[4] != 0) {
        met = 3;
      }
    }
  } else if (met == 3 && is(irp, IOCTL_LIST_LEASES, 24)) {
    /* IPv4 alone, of a process. */
    if (input(irp)[0] == 2) {
      if (input(irp)[16] != 0) {
        met = 4;
      }
    }
  } else if (met == 4 && is(irp, IOCTL_DELETE, 56)) {
    /* By force, of 2001:db8::2. */
    if (input(irp)[48] == 1) {
      if (input(irp)[23] == 2) {
        complete(irp, STATUS_NOT_SUPPORTED, 0);
      }
    }
  }
  return complete(irp, STATUS_NOT_SUPPORTED, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
