/*
 * Calls the netio-anycast driver many times, in each way that there is, and tells how long that took.
 */
#include "../common/device.h"
#include <netio_anycast.h>

/* Asks for one GET after another: struct measurement goes in, struct elapsed comes out. tests/wine/cost.rs sends it. */
#define IOCTL_MEASURE ((ULONG)CTL_CODE(DEVICE_TYPE_OF_TESTS, 0x820, METHOD_BUFFERED, FILE_ANY_ACCESS))

enum { WAY_NETIO, WAY_DIRECT, WAY_REUSED_IRP, WAY_OWN_IRP, WAY_BUILT_IRP };

struct measurement {
  MIB_ANYCASTIPADDRESS_ROW row;
  ULONG way;
  ULONG rounds;
};

struct elapsed {
  /* In units of 100 nanoseconds. */
  ULONG64 time;
  /* The first failure, if there was one. */
  NTSTATUS status;
  ULONG reserved;
};

/* The netio-anycast driver, as it is reached. */
struct connection {
  PFILE_OBJECT file;
  PDEVICE_OBJECT target;
  NETIO_ANYCAST_INTERFACE calls;
};

static NTSTATUS send_built(const struct connection *connection, ULONG code, BOOLEAN internal, PVOID input, ULONG input_length,
                           PVOID output, ULONG output_length) {
  KEVENT ended;
  IO_STATUS_BLOCK status_block;
  KeInitializeEvent(&ended, NotificationEvent, FALSE);
  PIRP irp = IoBuildDeviceIoControlRequest(code, connection->target, input, input_length, output, output_length, internal,
                                           &ended, &status_block);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoGetNextIrpStackLocation(irp)->FileObject = connection->file;
  NTSTATUS status = IoCallDriver(connection->target, irp);
  if (status == STATUS_PENDING) {
    KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
    status = status_block.Status;
  }
  return status;
}

static NTSTATUS open(struct connection *connection) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(NETIO_ANYCAST_DEVICE_NAME);
  NETIO_ANYCAST_INTERFACE_REQUEST request = {sizeof(connection->calls), NETIO_ANYCAST_INTERFACE_VERSION, 0};
  NTSTATUS status = IoGetDeviceObjectPointer(&name, FILE_READ_DATA, &connection->file, &connection->target);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  status = send_built(connection, IOCTL_NETIO_ANYCAST_QUERY_INTERFACE, TRUE, &request, sizeof(request), &connection->calls,
                      sizeof(connection->calls));
  if (status != STATUS_SUCCESS) {
    ObDereferenceObject(connection->file);
  }
  return status;
}

static VOID close(const struct connection *connection) {
  connection->calls.InterfaceDereference(connection->calls.Context);
  ObDereferenceObject(connection->file);
}

static NTSTATUS NTAPI keep_irp(PDEVICE_OBJECT device, PIRP irp, PVOID ended) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  KeSetEvent(ended, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/* GET by an IRP of this driver's. */
static NTSTATUS send_own(const struct connection *connection, PIRP irp, MIB_ANYCASTIPADDRESS_ROW *row) {
  KEVENT ended;
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
  KeInitializeEvent(&ended, NotificationEvent, FALSE);
  next->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
  next->FileObject = connection->file;
  next->Parameters.DeviceIoControl.IoControlCode = IOCTL_NETIO_ANYCAST_GET;
  next->Parameters.DeviceIoControl.InputBufferLength = sizeof(*row);
  next->Parameters.DeviceIoControl.OutputBufferLength = sizeof(*row);
  irp->AssociatedIrp.SystemBuffer = row;
  IoSetCompletionRoutine(irp, keep_irp, &ended, TRUE, TRUE, TRUE);
  if (IoCallDriver(connection->target, irp) == STATUS_PENDING) {
    KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
  }
  return irp->IoStatus.Status;
}

static NTSTATUS allocate_and_send(const struct connection *connection, MIB_ANYCASTIPADDRESS_ROW *row) {
  PIRP irp = IoAllocateIrp(connection->target->StackSize, FALSE);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  NTSTATUS status = send_own(connection, irp, row);
  IoFreeIrp(irp);
  return status;
}

static NTSTATUS reuse_and_send(const struct connection *connection, PIRP irp, MIB_ANYCASTIPADDRESS_ROW *row) {
  IoReuseIrp(irp, STATUS_SUCCESS);
  return send_own(connection, irp, row);
}

/* One GET. `irp` is an IRP to be used again and again. */
static NTSTATUS get(const struct connection *connection, PIRP irp, const struct measurement *measurement) {
  MIB_ANYCASTIPADDRESS_ROW row = measurement->row;
  switch (measurement->way) {
  case WAY_NETIO:
    return GetAnycastIpAddressEntry(&row);
  case WAY_DIRECT:
    return connection->calls.Get(connection->calls.Context, &row);
  case WAY_REUSED_IRP:
    return reuse_and_send(connection, irp, &row);
  case WAY_OWN_IRP:
    return allocate_and_send(connection, &row);
  default:
    return send_built(connection, IOCTL_NETIO_ANYCAST_GET, FALSE, &row, sizeof(row), &row, sizeof(row));
  }
}

static NTSTATUS measure(const struct measurement *measurement, struct elapsed *elapsed) {
  struct connection connection;
  ULONG64 counter;
  NTSTATUS status = open(&connection);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  PIRP irp = IoAllocateIrp(connection.target->StackSize, FALSE);
  if (irp != NULL) {
    ULONG64 start = KeQueryInterruptTimePrecise(&counter);
    elapsed->status = STATUS_SUCCESS;
    for (ULONG i = 0; i < measurement->rounds && elapsed->status == STATUS_SUCCESS; i++) {
      elapsed->status = get(&connection, irp, measurement);
    }
    elapsed->time = KeQueryInterruptTimePrecise(&counter) - start;
    elapsed->reserved = 0;
    IoFreeIrp(irp);
  }
  close(&connection);
  return irp == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  PIO_STACK_LOCATION stack = location(irp);
  UNREFERENCED_PARAMETER(device);
  if (stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_MEASURE) {
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
  if (stack->Parameters.DeviceIoControl.InputBufferLength != sizeof(struct measurement) ||
      stack->Parameters.DeviceIoControl.OutputBufferLength != sizeof(struct elapsed)) {
    return complete(irp, STATUS_INFO_LENGTH_MISMATCH, 0);
  }
  struct measurement measurement = *(struct measurement *)irp->AssociatedIrp.SystemBuffer;
  NTSTATUS status = measure(&measurement, irp->AssociatedIrp.SystemBuffer);
  return complete(irp, status, status == STATUS_SUCCESS ? sizeof(struct elapsed) : 0);
}

static NTSTATUS NTAPI open_or_close(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  return complete(irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  driver->MajorFunction[IRP_MJ_CREATE] = open_or_close;
  driver->MajorFunction[IRP_MJ_CLOSE] = open_or_close;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control;
  driver->DriverUnload = remove_device;
  return create_device(driver, registry_path, 0);
}
