/* Keeps every rule: calls `clean_target.c` in every way that there is. */
#include "client.h"

static BOOLEAN is_reversed(const UCHAR *bytes) { return bytes[0] == 3 && bytes[1] == 2 && bytes[2] == 1; }

/* Requests that the I/O manager builds, and that are waited for. */
static NTSTATUS ask_and_wait(void) {
  UCHAR bytes[] = {1, 2, 3};
  ULONG_PTR information = 0;
  NTSTATUS status = ask(IOCTL_TARGET_REVERSE, FALSE, bytes, sizeof(bytes), bytes, sizeof(bytes), &information);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  if (information != sizeof(bytes) || !is_reversed(bytes)) {
    return STATUS_UNSUCCESSFUL;
  }
  /* An error comes back at once, and writes nothing. */
  status = ask(IOCTL_TARGET_REVERSE, TRUE, bytes, sizeof(bytes), bytes, 1, &information);
  return status == STATUS_BUFFER_TOO_SMALL || status == STATUS_INSUFFICIENT_RESOURCES ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* An IRP of its own, sent twice, from DISPATCH_LEVEL. */
static NTSTATUS send_at_dispatch_level(void) {
  UCHAR bytes[] = {1, 2, 3};
  KEVENT done;
  KIRQL irql;
  PIRP irp = IoAllocateIrp(target_device->StackSize, FALSE);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  KeInitializeEvent(&done, SynchronizationEvent, FALSE);
  for (ULONG i = 0; i < 3; i++) {
    prepare(irp, IOCTL_TARGET_REVERSE, bytes, sizeof(bytes), take_back, &done);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    IoCallDriver(target_device, irp);
    KeLowerIrql(irql);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    if (irp->IoStatus.Status != STATUS_SUCCESS || irp->IoStatus.Information != sizeof(bytes)) {
      break;
    }
    IoReuseIrp(irp, STATUS_NOT_SUPPORTED);
  }
  NTSTATUS status = irp->IoStatus.Status;
  IoFreeIrp(irp);
  return status == STATUS_NOT_SUPPORTED && is_reversed(bytes) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* An IRP whose completion routine the I/O manager protects. */
static NTSTATUS send_protected(PDEVICE_OBJECT device) {
  UCHAR bytes[] = {1, 2, 3};
  KEVENT done;
  PIRP irp = IoAllocateIrp(target_device->StackSize, FALSE);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  prepare(irp, IOCTL_TARGET_REVERSE, bytes, sizeof(bytes), NULL, NULL);
  NTSTATUS status = IoSetCompletionRoutineEx(device, irp, take_back, &done, TRUE, TRUE, TRUE);
  if (NT_SUCCESS(status)) {
    IoCallDriver(target_device, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    status = irp->IoStatus.Status;
  }
  IoFreeIrp(irp);
  return NT_SUCCESS(status) && !is_reversed(bytes) ? STATUS_UNSUCCESSFUL : status;
}

/* An IRP in memory of its own, which waits until it is cancelled. */
static NTSTATUS cancel_waiting(void) {
  KEVENT done;
  USHORT length = IoSizeOfIrp(target_device->StackSize);
  PIRP irp = ExAllocatePoolWithTag(NonPagedPoolNx, length, TAG);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  IoInitializeIrp(irp, length, target_device->StackSize);
  prepare(irp, IOCTL_TARGET_WAIT, NULL, 0, take_back, &done);
  NTSTATUS status = IoCallDriver(target_device, irp);
  if (status == STATUS_PENDING) {
    IoCancelIrp(irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    status = irp->IoStatus.Status;
  }
  ExFreePoolWithTag(irp, TAG);
  /* Others may have released it. */
  return status == STATUS_CANCELLED || status == STATUS_SUCCESS ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* The target's functions, called directly. */
static NTSTATUS call_directly(void) {
  struct target_interface functions;
  NTSTATUS status = ask(IOCTL_TARGET_INTERFACE, TRUE, NULL, 0, &functions, sizeof(functions), NULL);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  functions.reference(functions.context);
  ULONG sum = functions.add(functions.context, 2, 3);
  functions.dereference(functions.context);
  functions.dereference(functions.context);
  return sum == 5 ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* References by pointer and by handle, of every kind that it takes. */
static NTSTATUS refer(void) {
  NTSTATUS status = ObReferenceObjectByPointer(target_file, FILE_READ_DATA, file_type, KernelMode);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  ObReferenceObjectWithTag(target_device, TAG);
  ObDereferenceObjectWithTag(target_device, TAG);
  ObDereferenceObjectDeferDelete(target_file);
  status = ObReferenceObjectByPointer(target_file, FILE_READ_DATA, event_type, KernelMode);
  return status == STATUS_OBJECT_TYPE_MISMATCH && IoGetRelatedDeviceObject(target_file) == target_device
             ? STATUS_SUCCESS
             : STATUS_UNSUCCESSFUL;
}

static NTSTATUS open_by_handle(void) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(TARGET_NAME);
  OBJECT_ATTRIBUTES attributes;
  IO_STATUS_BLOCK status_block;
  HANDLE handle;
  PFILE_OBJECT file;
  InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
  NTSTATUS status = ZwOpenFile(&handle, FILE_READ_DATA, &attributes, &status_block, 0, 0);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = ObReferenceObjectByHandle(handle, FILE_READ_DATA, file_type, KernelMode, (PVOID *)&file, NULL);
  ZwClose(handle);
  if (NT_SUCCESS(status)) {
    ObDereferenceObject(file);
  }
  return status;
}

/* Sends its own IRP on to the target, whose answer goes back to who has sent it. */
static NTSTATUS NTAPI internal_control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  IoCopyCurrentIrpStackLocationToNext(irp);
  IoGetNextIrpStackLocation(irp)->FileObject = target_file;
  return IoCallDriver(target_device, irp);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  static NTSTATUS (*const steps[])(void) = {ask_and_wait,  send_at_dispatch_level, cancel_waiting,
                                            call_directly, refer,                  open_by_handle};
  if (location(irp)->Parameters.DeviceIoControl.IoControlCode != IOCTL_CONTROL) {
    return internal_control(device, irp);
  }
  NTSTATUS status = STATUS_SUCCESS;
  for (ULONG i = 0; i < RTL_NUMBER_OF(steps) && NT_SUCCESS(status); i++) {
    status = steps[i]();
  }
  if (NT_SUCCESS(status)) {
    status = send_protected(device);
  }
  return complete(irp, status, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = open_target();
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = create_device(driver, 0, control, close_target_and_remove_device);
  if (!NT_SUCCESS(status)) {
    ObDereferenceObject(target_file);
    return status;
  }
  /* Its own location, and what the target needs. */
  driver->DeviceObject->StackSize = target_device->StackSize + 1;
  driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = internal_control;
  return status;
}
