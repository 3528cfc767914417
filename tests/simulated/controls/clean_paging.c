/*
 * Keeps every rule: has code, data and pool that may be paged out, which it touches below DISPATCH_LEVEL, and at DISPATCH_LEVEL while it
 * is locked; and works at DISPATCH_LEVEL meanwhile with what stays.
 */
#include "control.h"

#define IOCTL_RAISED ((ULONG)CTL_CODE(0x8ACC, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS))
#define IOCTL_LOCKED ((ULONG)CTL_CODE(0x8ACC, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS))
#define ROUNDS 10

static __attribute__((section("PAGEDATA"))) volatile LONG paged_count;
static __attribute__((section("PAGELOCK"))) volatile LONG locked_count;
static KSPIN_LOCK lock;
static LONG raised_count;

static __attribute__((section("PAGE"), noinline)) ULONG sum(const UCHAR *bytes, ULONG length) {
  ULONG result = 0;
  for (ULONG i = 0; i < length; i++) {
    result += bytes[i];
  }
  return result;
}

static __attribute__((section("PAGE"), noinline)) NTSTATUS work(void) {
  NTSTATUS status = STATUS_SUCCESS;
  for (ULONG i = 1; i <= ROUNDS && NT_SUCCESS(status); i++) {
    /* Over the border of two pages. */
    PUCHAR bytes = ExAllocatePoolWithTag(PagedPool, 4100 + i, TAG);
    if (bytes == NULL) {
      return STATUS_INSUFFICIENT_RESOURCES;
    }
    *(UNALIGNED ULONG *)(bytes + 4094) = 0x01010101;
    InterlockedIncrement(&paged_count);
    status = sum(bytes + 4094, 4) == 4 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
    ExFreePoolWithTag(bytes, TAG);
  }
  return status;
}

static NTSTATUS work_raised(void) {
  KIRQL irql;
  for (ULONG i = 0; i < ROUNDS; i++) {
    KeAcquireSpinLock(&lock, &irql);
    for (volatile ULONG j = 0; j < 2000; j++) {
      raised_count++;
    }
    KeReleaseSpinLock(&lock, irql);
  }
  return STATUS_SUCCESS;
}

static NTSTATUS work_locked(void) {
  KIRQL irql;
  PVOID section = MmLockPagableDataSection((PVOID)&locked_count);
  KeAcquireSpinLock(&lock, &irql);
  locked_count++;
  KeReleaseSpinLock(&lock, irql);
  MmUnlockPagableImageSection(section);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  switch (location(irp)->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_RAISED:
    return complete(irp, work_raised(), 0);
  case IOCTL_LOCKED:
    return complete(irp, work_locked(), 0);
  default:
    return complete(irp, work(), 0);
  }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
