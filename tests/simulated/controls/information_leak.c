/* Returns a struct whose padding it has not written. */
#include "control.h"

struct reply {
  UCHAR kind; /* and seven bytes of padding */
  ULONG64 value;
};

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  struct reply *reply = irp->AssociatedIrp.SystemBuffer;
  if (location(irp)->Parameters.DeviceIoControl.OutputBufferLength < sizeof(*reply)) {
    return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  }
  reply->kind = 1;
  reply->value = 2;
  return complete(irp, STATUS_SUCCESS, sizeof(*reply));
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
