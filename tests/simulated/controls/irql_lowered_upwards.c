/* Lowers the IRQL to a higher one. */

/* mingw-w64 has an inline function of that name, where the WDK declares the export. */
#define KeLowerIrql lower_irql_inline
#include "control.h"
#undef KeLowerIrql

NTKERNELAPI VOID NTAPI KeLowerIrql(KIRQL irql);

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KIRQL irql = KeGetCurrentIrql();
  KeLowerIrql(DISPATCH_LEVEL);
  KeLowerIrql(irql);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
