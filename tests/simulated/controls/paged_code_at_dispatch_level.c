/* Raises the IRQL in code that may be paged out. */
#include "control.h"

static __attribute__((section("PAGE"), noinline)) NTSTATUS raise_and_lower(void) {
  KIRQL irql;
  KeRaiseIrql(DISPATCH_LEVEL, &irql);
  KeLowerIrql(irql);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, raise_and_lower(), 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
