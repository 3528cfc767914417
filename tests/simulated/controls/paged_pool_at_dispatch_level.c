/* Reads paged pool with a spin lock held. */
#include "control.h"

static KSPIN_LOCK lock;

static ULONG read(volatile ULONG *value) {
  KIRQL irql;
  KeAcquireSpinLock(&lock, &irql);
  ULONG result = *value;
  KeReleaseSpinLock(&lock, irql);
  return result;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ULONG *value = ExAllocatePoolWithTag(PagedPool, sizeof(*value), TAG);
  if (value == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  *value = 1;
  NTSTATUS status = read(value) == 1 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
  ExFreePoolWithTag(value, TAG);
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
