/*
 * What the contract demands of CREATE, DELETE and GET, by hand: the lengths, flags and lifetimes; an address that can be unicast
 * and an interface; the row copied, so that nothing of a request that fails is overwritten, with everything but the address and
 * the LUID cleared; the IRQL; NetIO's status mapped; the counters and the generation. It is the floor that a programmer in C
 * reaches, which the benchmark measures the driver against. Every other control code is unknown, and the device is open to all.
 */
#include <ntifs.h>
#include <netioapi.h>

/* IOCTL_CREATE, IOCTL_DELETE, IOCTL_GET and IOCTL_GET_TABLE are defined on the command line, from the contract. */

typedef MIB_ANYCASTIPADDRESS_ROW ROW;

typedef struct {
  ROW row;
  ULONG lifetime;
  ULONG flags;
} CREATE_REQUEST;

typedef struct {
  ROW row;
  ULONG flags;
  ULONG reserved;
} DELETE_REQUEST;

typedef struct {
  volatile LONG64 succeeded, malformed, invalid, already_exists, not_found, not_supported, access_denied, no_resources, failed;
  volatile LONG last_netio_failure;
} TALLY;

typedef struct {
  TALLY create, delete, get;
  volatile LONG64 unknown_codes;
  volatile LONG64 generation;
} EXTENSION;

static UNICODE_STRING device_name = RTL_CONSTANT_STRING(L"\\Device\\Checked");
static UNICODE_STRING link_name = RTL_CONSTANT_STRING(L"\\DosDevices\\Checked");

DRIVER_INITIALIZE DriverEntry;

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static void count(volatile LONG64 *counter) {
  __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static __attribute__((cold, noinline)) NTSTATUS malformed(PIRP irp, TALLY *tally, NTSTATUS status) {
  count(&tally->malformed);
  return complete(irp, status, 0);
}

/* A failure that NetIO was not asked about, or its own mapped. */
static __attribute__((cold, noinline)) NTSTATUS failed(PIRP irp, TALLY *tally, NTSTATUS status, NTSTATUS raw) {
  switch (status) {
  case STATUS_INVALID_PARAMETER:
    count(&tally->invalid);
    break;
  case STATUS_OBJECTID_EXISTS:
    count(&tally->already_exists);
    break;
  case STATUS_NOT_FOUND:
    count(&tally->not_found);
    break;
  case STATUS_NOT_SUPPORTED:
    count(&tally->not_supported);
    break;
  case STATUS_ACCESS_DENIED:
  case STATUS_PRIVILEGE_NOT_HELD:
    count(&tally->access_denied);
    break;
  case STATUS_INSUFFICIENT_RESOURCES:
    count(&tally->no_resources);
    break;
  default:
    count(&tally->failed);
  }
  if (raw != STATUS_SUCCESS) {
    __atomic_store_n(&tally->last_netio_failure, raw, __ATOMIC_RELAXED);
  }
  return complete(irp, status, 0);
}

static __attribute__((cold, noinline)) NTSTATUS netio_failed(PIRP irp, TALLY *tally, NTSTATUS raw) {
  switch ((ULONG)raw) {
  case 0x00001392: /* ERROR_OBJECT_ALREADY_EXISTS, as the documentation lists it */
  case 0xC0071392:
  case 0xC000022A: /* STATUS_DUPLICATE_OBJECTID */
  case 0xC0000035: /* STATUS_OBJECT_NAME_COLLISION */
    return failed(irp, tally, STATUS_OBJECTID_EXISTS, raw);
  case 0xC000000F: /* STATUS_NO_SUCH_FILE */
  case 0xC0000034: /* STATUS_OBJECT_NAME_NOT_FOUND */
  case 0xC00002F0: /* STATUS_OBJECTID_NOT_FOUND */
    return failed(irp, tally, STATUS_NOT_FOUND, raw);
  case 0xC0000017: /* STATUS_NO_MEMORY */
    return failed(irp, tally, STATUS_INSUFFICIENT_RESOURCES, raw);
  default:
    return failed(irp, tally, (ULONG)raw >> 30 == 3 ? raw : STATUS_UNSUCCESSFUL, raw);
  }
}

/* Everything but the address and the family, which NetIO need not write and nobody need know. */
static void clear_unused(ROW *row) {
  row->Address.Ipv6.sin6_port = 0;
  if (row->Address.si_family == AF_INET6) {
    row->Address.Ipv6.sin6_flowinfo = 0;
    row->Address.Ipv6.sin6_scope_id = 0;
  } else if (row->Address.si_family == AF_INET) {
    RtlZeroMemory((PUCHAR)row + 8, 20);
  } else {
    RtlZeroMemory((PUCHAR)row + 4, 24);
  }
  *(ULONG *)((PUCHAR)row + sizeof(row->Address)) = 0;
}

static BOOLEAN can_be_unicast(const ROW *row) {
  if (row->Address.si_family == AF_INET6) {
    const ULONG64 *halves = (const ULONG64 *)&row->Address.Ipv6.sin6_addr;
    return (halves[0] | halves[1]) != 0 && (halves[0] & 0xFF) != 0xFF;
  }
  if (row->Address.si_family == AF_INET) {
    ULONG address = *(const ULONG *)&row->Address.Ipv4.sin_addr;
    return address != 0 && address != 0xFFFFFFFF && (address & 0xF0) != 0xE0;
  }
  return FALSE;
}

/* The LUID of a row that names its interface by index alone. */
static __attribute__((cold, noinline)) NTSTATUS find_luid(ROW *row, NTSTATUS *raw) {
  if (row->InterfaceIndex == 0) {
    return STATUS_INVALID_PARAMETER;
  }
  *raw = STATUS_INVALID_DEVICE_STATE;
  if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
    return STATUS_INVALID_DEVICE_STATE;
  }
  *raw = ConvertInterfaceIndexToLuid(row->InterfaceIndex, &row->InterfaceLuid);
  return *raw == STATUS_SUCCESS && row->InterfaceLuid.Value != 0 ? STATUS_SUCCESS : STATUS_NOT_FOUND;
}

/* Makes the row that NetIO is called with of a caller's. */
static __attribute__((always_inline)) inline NTSTATUS resolve(ROW *row, NTSTATUS *raw) {
  *raw = STATUS_SUCCESS;
  if (!can_be_unicast(row)) {
    return STATUS_INVALID_PARAMETER;
  }
  clear_unused(row);
  if (row->InterfaceLuid.Value == 0) {
    NTSTATUS status = find_luid(row, raw);
    if (status != STATUS_SUCCESS) {
      return status;
    }
  } else if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
    return *raw = STATUS_INVALID_DEVICE_STATE;
  }
  row->InterfaceIndex = 0;
  row->ScopeId.Value = 0;
  return STATUS_SUCCESS;
}

static NTSTATUS create(PIRP irp, EXTENSION *extension, const CREATE_REQUEST *request, ULONG input, ULONG output) {
  if (!request || input != sizeof(*request)) {
    return malformed(irp, &extension->create, STATUS_INFO_LENGTH_MISMATCH);
  }
  if (output < sizeof(ROW)) {
    return malformed(irp, &extension->create, STATUS_BUFFER_TOO_SMALL);
  }
  if (request->lifetime != 0 || request->flags != 0) {
    return malformed(irp, &extension->create, STATUS_INVALID_PARAMETER);
  }
  ROW row = request->row, *reply = (ROW *)request;
  NTSTATUS raw, status = resolve(&row, &raw);
  if (status != STATUS_SUCCESS) {
    return failed(irp, &extension->create, status, raw);
  }
  status = CreateAnycastIpAddressEntry(&row);
  if (status != STATUS_SUCCESS) {
    return netio_failed(irp, &extension->create, status);
  }
  __atomic_fetch_add(&extension->generation, 1, __ATOMIC_RELEASE);
  *reply = row;
  if (GetAnycastIpAddressEntry(&row) == STATUS_SUCCESS) {
    reply->InterfaceIndex = row.InterfaceIndex;
    reply->ScopeId = row.ScopeId;
  } else if (ConvertInterfaceLuidToIndex(&reply->InterfaceLuid, &reply->InterfaceIndex) != STATUS_SUCCESS) {
    reply->InterfaceIndex = 0;
  }
  count(&extension->create.succeeded);
  return complete(irp, STATUS_SUCCESS, sizeof(row));
}

static NTSTATUS delete(PIRP irp, EXTENSION *extension, const DELETE_REQUEST *request, ULONG input) {
  if (!request || input != sizeof(*request)) {
    return malformed(irp, &extension->delete, STATUS_INFO_LENGTH_MISMATCH);
  }
  if (request->reserved != 0 || request->flags > 1) {
    return malformed(irp, &extension->delete, STATUS_INVALID_PARAMETER);
  }
  ROW row = request->row;
  NTSTATUS raw, status = resolve(&row, &raw);
  if (status != STATUS_SUCCESS) {
    return failed(irp, &extension->delete, status, raw);
  }
  status = DeleteAnycastIpAddressEntry(&row);
  if (status != STATUS_SUCCESS) {
    return netio_failed(irp, &extension->delete, status);
  }
  __atomic_fetch_add(&extension->generation, 1, __ATOMIC_RELEASE);
  count(&extension->delete.succeeded);
  return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS get(PIRP irp, EXTENSION *extension, ROW *request, ULONG input, ULONG output) {
  if (!request || input != sizeof(*request)) {
    return malformed(irp, &extension->get, STATUS_INFO_LENGTH_MISMATCH);
  }
  if (output < sizeof(*request)) {
    return malformed(irp, &extension->get, STATUS_BUFFER_TOO_SMALL);
  }
  ROW row = *request;
  NTSTATUS raw, status = resolve(&row, &raw);
  if (status != STATUS_SUCCESS) {
    return failed(irp, &extension->get, status, raw);
  }
  status = GetAnycastIpAddressEntry(&row);
  if (status != STATUS_SUCCESS) {
    return netio_failed(irp, &extension->get, status);
  }
  clear_unused(&row);
  *request = row;
  count(&extension->get.succeeded);
  return complete(irp, STATUS_SUCCESS, sizeof(row));
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  EXTENSION *extension = device->DeviceExtension;
  PIO_STACK_LOCATION location = IoGetCurrentIrpStackLocation(irp);
  PVOID buffer = irp->AssociatedIrp.SystemBuffer;
  ULONG input = location->Parameters.DeviceIoControl.InputBufferLength;
  ULONG output = location->Parameters.DeviceIoControl.OutputBufferLength;
  switch (location->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_CREATE:
    return create(irp, extension, buffer, input, output);
  case IOCTL_DELETE:
    return delete(irp, extension, buffer, input);
  case IOCTL_GET:
    return get(irp, extension, buffer, input, output);
  default:
    count(&extension->unknown_codes);
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
  /* The I/O manager zeroes the extension. */
  NTSTATUS status =
      IoCreateDevice(driver, sizeof(EXTENSION), &device_name, 0x8ACA, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  if (!NT_SUCCESS(status)) {
    return status;
  }
  status = IoCreateSymbolicLink(&link_name, &device_name);
  if (!NT_SUCCESS(status)) {
    IoDeleteDevice(device);
  }
  return status;
}
