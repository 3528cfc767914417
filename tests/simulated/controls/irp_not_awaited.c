/* Has an IRP built that writes to its stack, and returns before it has come back. */
#include "client.h"

static NTSTATUS send_and_forget(void) {
  KEVENT done;
  IO_STATUS_BLOCK status_block;
  NTSTATUS status = open_target();
  if (!NT_SUCCESS(status)) {
    return status;
  }
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  PIRP built = IoBuildDeviceIoControlRequest(IOCTL_TARGET_WAIT, target_device, NULL, 0, NULL, 0, FALSE, &done, &status_block);
  if (built != NULL) {
    IoCallDriver(target_device, built);
  }
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, send_and_forget(), 0);
}

/* So that it does come back. */
static NTSTATUS NTAPI cleanup(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, ask(IOCTL_TARGET_RELEASE, FALSE, NULL, 0, NULL, 0, NULL), 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
  NTSTATUS status = create_device(driver, 0, control, close_target_and_remove_device);
  driver->MajorFunction[IRP_MJ_CLEANUP] = cleanup;
  return status;
}
