/* Keeps every rule: the driver that others call, by IRPs and directly. */
#define NAME "Target"
#include "pending.h"
#include "target.h"

/* A context is the file object through which the interface was asked for. */
static VOID NTAPI reference(PVOID context) { ObReferenceObject(context); }

static VOID NTAPI dereference(PVOID context) { ObDereferenceObject(context); }

static ULONG NTAPI add(PVOID context, ULONG one, ULONG other) {
  /* What the file object counts, to show that it is still there. */
  InterlockedIncrement((volatile LONG *)&((PFILE_OBJECT)context)->FsContext);
  return one + other;
}

static NTSTATUS NTAPI create(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  location(irp)->FileObject->FsContext2 = location(irp)->FileObject;
  return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI close(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PFILE_OBJECT file = location(irp)->FileObject;
  return complete(irp, file->FsContext2 == file ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL, 0);
}

static ULONG reverse(PUCHAR buffer, ULONG length) {
  for (ULONG i = 0; i < length / 2; i++) {
    UCHAR byte = buffer[i];
    buffer[i] = buffer[length - 1 - i];
    buffer[length - 1 - i] = byte;
  }
  return length;
}

static ULONG describe_caller(PIRP irp) {
  struct target_caller *caller = irp->AssociatedIrp.SystemBuffer;
  caller->requestor = IoGetRequestorProcessId(irp);
  caller->current = HandleToULong(PsGetCurrentProcessId());
  caller->requestor_mode = irp->RequestorMode;
  caller->previous_mode = ExGetPreviousMode();
  return sizeof(*caller);
}

static ULONG query_interface(PIRP irp) {
  struct target_interface *functions = irp->AssociatedIrp.SystemBuffer;
  reference(location(irp)->FileObject);
  functions->context = location(irp)->FileObject;
  functions->reference = reference;
  functions->dereference = dereference;
  functions->add = add;
  return sizeof(*functions);
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  ULONG input = location(irp)->Parameters.DeviceIoControl.InputBufferLength;
  ULONG output = location(irp)->Parameters.DeviceIoControl.OutputBufferLength;
  switch (location(irp)->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_TARGET_REVERSE:
    if (output < input) {
      return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    return complete(irp, STATUS_SUCCESS, reverse(irp->AssociatedIrp.SystemBuffer, input));
  case IOCTL_TARGET_WAIT:
    return pend(device, irp, cancel);
  case IOCTL_TARGET_RELEASE:
    flush(device, STATUS_SUCCESS);
    return complete(irp, STATUS_SUCCESS, 0);
  case IOCTL_TARGET_CALLER:
    if (output < sizeof(struct target_caller)) {
      return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
    }
    return complete(irp, STATUS_SUCCESS, describe_caller(irp));
  default:
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI internal_control(PDEVICE_OBJECT device, PIRP irp) {
  if (location(irp)->Parameters.DeviceIoControl.IoControlCode != IOCTL_TARGET_INTERFACE) {
    return control(device, irp);
  }
  if (location(irp)->Parameters.DeviceIoControl.OutputBufferLength != sizeof(struct target_interface)) {
    return complete(irp, STATUS_INFO_LENGTH_MISMATCH, 0);
  }
  return complete(irp, STATUS_SUCCESS, query_interface(irp));
}

/* Other handles of the device have their own waiting requests. */
static NTSTATUS NTAPI leave_waiting(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = load_pending(driver, control);
  if (NT_SUCCESS(status)) {
    driver->MajorFunction[IRP_MJ_CREATE] = create;
    driver->MajorFunction[IRP_MJ_CLEANUP] = leave_waiting;
    driver->MajorFunction[IRP_MJ_CLOSE] = close;
    driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = internal_control;
  }
  return status;
}
