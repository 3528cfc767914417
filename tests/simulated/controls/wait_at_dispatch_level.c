/* Waits with a spin lock held. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KSPIN_LOCK lock;
  KIRQL irql;
  KEVENT event;
  KeInitializeSpinLock(&lock);
  KeInitializeEvent(&event, NotificationEvent, TRUE);
  KeAcquireSpinLock(&lock, &irql);
  KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
  KeReleaseSpinLock(&lock, irql);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
