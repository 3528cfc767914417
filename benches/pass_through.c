/*
 * The least that a driver can do for the same control codes: the row goes from the system buffer to NetIO as it is, and NetIO's
 * status to the caller as it is. No validation, no mapping, no statistics; callers must be trusted. It is what the benchmark
 * measures the driver against.
 */
#include <ntifs.h>
#include <netioapi.h>

/* IOCTL_CREATE, IOCTL_DELETE, IOCTL_GET and IOCTL_GET_TABLE are defined on the command line, from the contract. */

typedef struct {
  ULONG count;
  ULONG total;
  ULONG64 generation;
  MIB_ANYCASTIPADDRESS_ROW rows[];
} TABLE;

static UNICODE_STRING device_name = RTL_CONSTANT_STRING(L"\\Device\\PassThrough");
static UNICODE_STRING link_name = RTL_CONSTANT_STRING(L"\\DosDevices\\PassThrough");

DRIVER_INITIALIZE DriverEntry;

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

/* NetIO does not write the four bytes behind an IPv6 address, and what was in memory is nothing to give away. */
static void clear_padding(PMIB_ANYCASTIPADDRESS_ROW row) {
  *(ULONG *)((PUCHAR)row + sizeof(row->Address)) = 0;
}

static NTSTATUS get_table(PIRP irp, TABLE *output, ULONG room) {
  PMIB_ANYCASTIPADDRESS_TABLE table;
  NTSTATUS status = GetAnycastIpAddressTable(AF_UNSPEC, &table);
  if (status != STATUS_SUCCESS) {
    return complete(irp, status, 0);
  }
  ULONG fit = (ULONG)((room - sizeof(TABLE)) / sizeof(MIB_ANYCASTIPADDRESS_ROW));
  output->total = table->NumEntries;
  output->count = fit < output->total ? fit : output->total;
  output->generation = 0;
  RtlCopyMemory(output->rows, table->Table, output->count * sizeof(MIB_ANYCASTIPADDRESS_ROW));
  for (ULONG i = 0; i < output->count; i++) {
    clear_padding(&output->rows[i]);
  }
  FreeMibTable(table);
  status = output->count < output->total ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
  return complete(irp, status, sizeof(TABLE) + output->count * sizeof(MIB_ANYCASTIPADDRESS_ROW));
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  PMIB_ANYCASTIPADDRESS_ROW row = irp->AssociatedIrp.SystemBuffer;
  NTSTATUS status;
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_CREATE:
    status = CreateAnycastIpAddressEntry(row);
    return complete(irp, status, status == STATUS_SUCCESS ? sizeof(*row) : 0);
  case IOCTL_DELETE:
    return complete(irp, DeleteAnycastIpAddressEntry(row), 0);
  case IOCTL_GET:
    status = GetAnycastIpAddressEntry(row);
    clear_padding(row);
    return complete(irp, status, status == STATUS_SUCCESS ? sizeof(*row) : 0);
  case IOCTL_GET_TABLE:
    return get_table(irp, (TABLE *)row, location->Parameters.DeviceIoControl.OutputBufferLength);
  default:
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

static NTSTATUS NTAPI succeed(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, STATUS_SUCCESS, 0);
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  IoDeleteSymbolicLink(&link_name);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  PDEVICE_OBJECT device;
  driver->MajorFunction[IRP_MJ_CREATE] = succeed;
  driver->MajorFunction[IRP_MJ_CLEANUP] = succeed;
  driver->MajorFunction[IRP_MJ_CLOSE] = succeed;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
  driver->DriverUnload = unload;
  NTSTATUS status = IoCreateDevice(driver, 0, &device_name, 0x8ACA, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = IoCreateSymbolicLink(&link_name, &device_name);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
  }
  return status;
}
