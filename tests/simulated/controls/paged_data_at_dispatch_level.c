/* Has a service read its paged data with a spin lock held. */
#include "control.h"

static KSPIN_LOCK lock;
static __attribute__((section("PAGEDATA"))) UNICODE_STRING text = RTL_CONSTANT_STRING(L"text");

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KIRQL irql;
  UNICODE_STRING copy;
  KeAcquireSpinLock(&lock, &irql);
  RtlMoveMemory(&copy, &text, sizeof(copy));
  KeReleaseSpinLock(&lock, irql);
  return complete(irp, copy.Length == 0 ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
