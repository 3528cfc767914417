/* Says that it has written more than there is room for. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ULONG output = location(irp)->Parameters.DeviceIoControl.OutputBufferLength;
  if (output != 0) {
    RtlZeroMemory(irp->AssociatedIrp.SystemBuffer, output);
  }
  return complete(irp, STATUS_SUCCESS, output + 1);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
