/*
 * What the control drivers have in common: a device with a link, a dispatch routine for everything but device controls, and
 * the way to complete an IRP. Each control keeps every rule but one; `clean.c` keeps them all.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <ntifs.h>
#include <netioapi.h>

#define TAG 'lrtC'
/* The code that makes a control do what it is there for: METHOD_BUFFERED, FILE_ANY_ACCESS. */
#define IOCTL_CONTROL ((ULONG)CTL_CODE(0x8ACC, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS))

/* The name of the device, if another control is to be loaded beside it. */
#ifndef NAME
#define NAME "Control"
#endif

static UNICODE_STRING device_name = RTL_CONSTANT_STRING(L"\\Device\\" NAME);
static UNICODE_STRING link_name = RTL_CONSTANT_STRING(L"\\DosDevices\\" NAME);

DRIVER_INITIALIZE DriverEntry;

/* Completes an IRP. What comes back is for the dispatch routine to return. */
static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS NTAPI succeed(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, STATUS_SUCCESS, 0);
}

static PIO_STACK_LOCATION location(PIRP irp) { return IoGetCurrentIrpStackLocation(irp); }

/* Takes the link and the device away. */
static VOID NTAPI remove_device(PDRIVER_OBJECT driver) {
  IoDeleteSymbolicLink(&link_name);
  IoDeleteDevice(driver->DeviceObject);
}

/* Makes the device and the link. `extension_size` bytes of memory go with the device. */
static NTSTATUS create_device(PDRIVER_OBJECT driver, ULONG extension_size, PDRIVER_DISPATCH control, PDRIVER_UNLOAD unload) {
  PDEVICE_OBJECT device;
  driver->MajorFunction[IRP_MJ_CREATE] = succeed;
  driver->MajorFunction[IRP_MJ_CLEANUP] = succeed;
  driver->MajorFunction[IRP_MJ_CLOSE] = succeed;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
  driver->DriverUnload = unload;
  NTSTATUS status = IoCreateDevice(driver, extension_size, &device_name, 0x8ACC, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = IoCreateSymbolicLink(&link_name, &device_name);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
  }
  return status;
}

#endif /* CONTROL_H */
