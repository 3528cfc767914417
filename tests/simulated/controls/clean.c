/* Keeps every rule: answers with its input, through memory that it allocates, and asks NetIO for its table. */
#include "control.h"

static NTSTATUS echo(PUCHAR buffer, ULONG length) {
  PUCHAR copy = ExAllocatePoolWithTag(NonPagedPoolNx, length, TAG);
  if (copy == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  RtlCopyMemory(copy, buffer, length);
  for (ULONG i = 0; i < length; i++) {
    buffer[i] = copy[length - 1 - i];
  }
  ExFreePoolWithTag(copy, TAG);
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  ULONG input = location(irp)->Parameters.DeviceIoControl.InputBufferLength;
  ULONG output = location(irp)->Parameters.DeviceIoControl.OutputBufferLength;
  if (location(irp)->Parameters.DeviceIoControl.IoControlCode != IOCTL_CONTROL) {
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
  if (input == 0 || output < input) {
    return complete(irp, STATUS_BUFFER_TOO_SMALL, 0);
  }
  PMIB_ANYCASTIPADDRESS_TABLE table;
  if (GetAnycastIpAddressTable(AF_UNSPEC, &table) == STATUS_SUCCESS) {
    FreeMibTable(table);
  }
  NTSTATUS status = echo(irp->AssociatedIrp.SystemBuffer, input);
  return complete(irp, status, NT_SUCCESS(status) ? input : 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  return create_device(driver, 0, control, remove_device);
}
