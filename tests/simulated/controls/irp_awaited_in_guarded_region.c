/* Waits for an IRP that was built for it where that can't come back: in a guarded region. */
#include "client.h"

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  KEVENT done;
  IO_STATUS_BLOCK status_block;
  NTSTATUS status = open_target();
  if (!NT_SUCCESS(status)) {
    return complete(irp, status, 0);
  }
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  PIRP built = IoBuildDeviceIoControlRequest(IOCTL_TARGET_WAIT, target_device, NULL, 0, NULL, 0, FALSE, &done, &status_block);
  if (built != NULL) {
    KeEnterGuardedRegion();
    IoCallDriver(target_device, built);
    /* Completed it is. */
    ask(IOCTL_TARGET_RELEASE, FALSE, NULL, 0, NULL, 0, NULL);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    KeLeaveGuardedRegion();
  }
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, close_target_and_remove_device);
}
