/* Has a completion routine that does not mark an IRP pending which was pending below. */
#include "client.h"

static NTSTATUS NTAPI look_on(PDEVICE_OBJECT device, PIRP irp, PVOID context) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  UNREFERENCED_PARAMETER(context);
  return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  IoCopyCurrentIrpStackLocationToNext(irp);
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
  next->Parameters.DeviceIoControl.IoControlCode = IOCTL_TARGET_WAIT;
  IoSetCompletionRoutine(irp, look_on, NULL, TRUE, TRUE, TRUE);
  return IoCallDriver(target_device, irp);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = open_target();
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = create_device(driver, 0, control, close_target_and_remove_device);
  if (NT_SUCCESS(status)) {
    driver->DeviceObject->StackSize = target_device->StackSize + 1;
  }
  return status;
}
