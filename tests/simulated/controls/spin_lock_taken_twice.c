/* Takes a spin lock that it holds. */
#include "control.h"

static KSPIN_LOCK lock;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KIRQL irql;
  KeAcquireSpinLock(&lock, &irql);
  KeAcquireSpinLockAtDpcLevel(&lock);
  KeReleaseSpinLock(&lock, irql);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
