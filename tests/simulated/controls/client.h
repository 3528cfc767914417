/* What the controls that call `clean_target.c` have in common: its device, and how to send it requests. */
#ifndef CLIENT_H
#define CLIENT_H

#include "control.h"
#include "target.h"

/* What *IoFileObjectType and its like are: mingw-w64 declares those with an indirection too many. */
extern __declspec(dllimport) POBJECT_TYPE file_type __asm__("IoFileObjectType");
extern __declspec(dllimport) POBJECT_TYPE event_type __asm__("ExEventObjectType");

static PFILE_OBJECT target_file;
static PDEVICE_OBJECT target_device;

static NTSTATUS open_target(void) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(TARGET_NAME);
  return IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &target_file, &target_device);
}

/* Sends a request and waits for its end. */
static NTSTATUS ask(ULONG code, BOOLEAN internal, PVOID input, ULONG input_length, PVOID output, ULONG output_length,
                    PULONG_PTR information) {
  KEVENT done;
  IO_STATUS_BLOCK status_block;
  KeInitializeEvent(&done, NotificationEvent, FALSE);
  PIRP irp = IoBuildDeviceIoControlRequest(code, target_device, input, input_length, output, output_length, internal, &done,
                                           &status_block);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoGetNextIrpStackLocation(irp)->FileObject = target_file;
  NTSTATUS status = IoCallDriver(target_device, irp);
  if (status == STATUS_PENDING) {
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    status = status_block.Status;
  }
  if (NT_SUCCESS(status) && information != NULL) {
    *information = status_block.Information;
  }
  return status;
}

/* A completion routine that takes an IRP back which this driver has allocated, and says so. */
static NTSTATUS NTAPI take_back(PDEVICE_OBJECT device, PIRP irp, PVOID event) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  KeSetEvent(event, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Fills an IRP that this driver has allocated. */
static VOID prepare(PIRP irp, ULONG code, PVOID buffer, ULONG length, PIO_COMPLETION_ROUTINE routine, PVOID context) {
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
  next->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
  next->FileObject = target_file;
  next->Parameters.DeviceIoControl.IoControlCode = code;
  next->Parameters.DeviceIoControl.InputBufferLength = length;
  next->Parameters.DeviceIoControl.OutputBufferLength = length;
  irp->AssociatedIrp.SystemBuffer = buffer;
  IoSetCompletionRoutine(irp, routine, context, TRUE, TRUE, TRUE);
}

/* Goes with a driver that has opened the target. */
static VOID NTAPI close_target_and_remove_device(PDRIVER_OBJECT driver) {
  if (target_file != NULL) {
    ObDereferenceObject(target_file);
  }
  remove_device(driver);
}

#endif /* CLIENT_H */
