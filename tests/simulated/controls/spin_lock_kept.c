/* Returns with a spin lock held. */
#include "control.h"

static KSPIN_LOCK lock;

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KIRQL irql;
  complete(irp, STATUS_SUCCESS, 0);
  KeAcquireSpinLock(&lock, &irql);
  return STATUS_SUCCESS;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
