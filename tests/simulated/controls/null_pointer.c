/* Follows a null pointer. */
#include "control.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  volatile ULONG *nothing = irp->MdlAddress == NULL ? NULL : (ULONG *)irp;
  ULONG value = *nothing;
  return complete(irp, STATUS_SUCCESS, value);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
