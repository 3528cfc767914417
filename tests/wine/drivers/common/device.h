/*
 * What the drivers of the tests in Wine have in common: a device that is named as the driver's service is, and the way to
 * complete an IRP.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <ntifs.h>

#define TAG 'borP'
#define DEVICE_TYPE_OF_TESTS 0x8ACD

DRIVER_INITIALIZE DriverEntry;

/* Completes an IRP. What comes back is for the dispatch routine to return. */
static inline NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static inline PIO_STACK_LOCATION location(PIRP irp) { return IoGetCurrentIrpStackLocation(irp); }

/* The device's name, or its link's: `prefix`, then the last part of the service's key in the registry. */
static inline NTSTATUS name_of_service(PUNICODE_STRING name, PCWSTR prefix, PCUNICODE_STRING registry_path) {
  USHORT length = registry_path->Length / sizeof(WCHAR), start = length;
  while (start > 0 && registry_path->Buffer[start - 1] != L'\\') {
    start--;
  }
  UNICODE_STRING service = {.Buffer = registry_path->Buffer + start,
                            .Length = (length - start) * sizeof(WCHAR),
                            .MaximumLength = (length - start) * sizeof(WCHAR)};
  name->Length = 0;
  NTSTATUS status = RtlAppendUnicodeToString(name, prefix);
  return NT_SUCCESS(status) ? RtlAppendUnicodeStringToString(name, &service) : status;
}

/* The name of the device's link, from its making to its end. */
static WCHAR link_characters[64];
static UNICODE_STRING link_name = {.Buffer = link_characters, .MaximumLength = sizeof link_characters};

/* Makes the device and its link, `\\.\SERVICE` for programs. */
static inline NTSTATUS create_device(PDRIVER_OBJECT driver, PCUNICODE_STRING registry_path, ULONG extension_size) {
  WCHAR characters[64];
  UNICODE_STRING device_name = {.Buffer = characters, .MaximumLength = sizeof characters};
  PDEVICE_OBJECT device;
  NTSTATUS status = name_of_service(&device_name, L"\\Device\\", registry_path);
  if (NT_SUCCESS(status)) {
    status = name_of_service(&link_name, L"\\DosDevices\\", registry_path);
  }
  if (NT_SUCCESS(status)) {
    status = IoCreateDevice(driver, extension_size, &device_name, DEVICE_TYPE_OF_TESTS, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  }
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = IoCreateSymbolicLink(&link_name, &device_name);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
  }
  return status;
}

/* Takes link and device away. */
static inline VOID remove_device(PDRIVER_OBJECT driver) {
  IoDeleteSymbolicLink(&link_name);
  IoDeleteDevice(driver->DeviceObject);
}

#endif /* DEVICE_H */
