/* Frees an IRP that the I/O manager has built for it, and will free itself. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  IO_STATUS_BLOCK status_block;
  PIRP built = NT_SUCCESS(open_target()) ? IoBuildDeviceIoControlRequest(IOCTL_TARGET_RELEASE, target_device, NULL, 0, NULL,
                                                                         0, FALSE, NULL, &status_block)
                                         : NULL;
  if (built == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  IoFreeIrp(built);
  IoCallDriver(target_device, built);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, close_target_and_remove_device);
}
