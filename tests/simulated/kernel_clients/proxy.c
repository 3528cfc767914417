/*
 * A client of the netio-anycast driver that does what a test tells it: IRPs of its own at any IRQL, cancelled or not, requests that the
 * I/O manager builds, and direct calls. Every handle to it has a file object of the driver's of its own.
 */
#define NAME "Proxy"
#include "../controls/control.h"
#include <netio_anycast.h>

#define CODE(function) ((ULONG)CTL_CODE(0x8ACE, 0x800 + (function), METHOD_BUFFERED, FILE_ANY_ACCESS))
/* Sends a request: struct command and its input go in, struct result and its output come out. */
#define IOCTL_PROXY_SEND CODE(0)
/* Asks for the direct-call interface. */
#define IOCTL_PROXY_QUERY CODE(1)
/* Calls a function of it: struct command, whose code is the function's number, and struct arguments go in. */
#define IOCTL_PROXY_CALL CODE(2)
/* Takes a reference of the interface, or gives one back, at the command's IRQL. */
#define IOCTL_PROXY_REFERENCE CODE(3)
#define IOCTL_PROXY_DEREFERENCE CODE(4)
/* Forgets what the handle has: it is never given back. */
#define IOCTL_PROXY_FORGET CODE(5)

/* How a request is sent. */
enum { WAY_DEVICE_CONTROL, WAY_INTERNAL, WAY_BUILT };
/* The functions of the interface. */
enum { FUNCTION_CREATE, FUNCTION_DELETE, FUNCTION_GET, FUNCTION_GET_TABLE };

struct command {
  ULONG way;
  ULONG irql;
  ULONG code;
  ULONG output_length;
  ULONG cancel;
  ULONG without_file;
  ULONG user_mode;
};

struct arguments {
  MIB_ANYCASTIPADDRESS_ROW row;
  ULONG lifetime;
  ULONG flags;
};

struct result {
  NTSTATUS status;
  ULONG pended;
  ULONG64 information;
};

/* What belongs to a handle. */
struct connection {
  PFILE_OBJECT file;
  PDEVICE_OBJECT target;
  NETIO_ANYCAST_INTERFACE calls;
};

static struct connection *connection_of(PIRP irp) { return location(irp)->FileObject->FsContext; }

static NTSTATUS NTAPI open(PDEVICE_OBJECT device, PIRP irp) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(NETIO_ANYCAST_DEVICE_NAME);
  UNREFERENCED_PARAMETER(device);
  struct connection *connection = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*connection), TAG);
  if (connection == NULL) {
    return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
  }
  RtlZeroMemory(connection, sizeof(*connection));
  NTSTATUS status = IoGetDeviceObjectPointer(&name, FILE_READ_DATA | FILE_WRITE_DATA, &connection->file, &connection->target);
  if (status != STATUS_SUCCESS) {
    ExFreePoolWithTag(connection, TAG);
    return complete(irp, status, 0);
  }
  location(irp)->FileObject->FsContext = connection;
  return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI close(PDEVICE_OBJECT device, PIRP irp) {
  UNREFERENCED_PARAMETER(device);
  struct connection *connection = connection_of(irp);
  if (connection->calls.Context != NULL) {
    connection->calls.InterfaceDereference(connection->calls.Context);
  }
  if (connection->file != NULL) {
    ObDereferenceObject(connection->file);
  }
  ExFreePoolWithTag(connection, TAG);
  return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI take_back(PDEVICE_OBJECT device, PIRP irp, PVOID ended) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  KeSetEvent(ended, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Sends an IRP of its own at the command's IRQL, and waits for its end below. `buffer` is the system buffer. */
static NTSTATUS send_own(PDEVICE_OBJECT device, const struct connection *connection, const struct command *command, PVOID buffer,
                         ULONG input_length, struct result *result) {
  KEVENT ended;
  KIRQL before;
  PIRP irp = IoAllocateIrp(connection->target->StackSize, FALSE);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(irp);
  next->MajorFunction = command->way == WAY_INTERNAL ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
  next->FileObject = command->without_file ? NULL : connection->file;
  next->Parameters.DeviceIoControl.IoControlCode = command->code;
  next->Parameters.DeviceIoControl.InputBufferLength = input_length;
  next->Parameters.DeviceIoControl.OutputBufferLength = command->output_length;
  irp->AssociatedIrp.SystemBuffer = buffer;
  irp->RequestorMode = command->user_mode ? UserMode : KernelMode;
  KeInitializeEvent(&ended, NotificationEvent, FALSE);
  NTSTATUS status = IoSetCompletionRoutineEx(device, irp, take_back, &ended, TRUE, TRUE, TRUE);
  if (status == STATUS_SUCCESS) {
    KeRaiseIrql((KIRQL)command->irql, &before);
    result->pended = IoCallDriver(connection->target, irp) == STATUS_PENDING;
    if (command->cancel) {
      IoCancelIrp(irp);
    }
    KeLowerIrql(before);
    KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
    result->status = irp->IoStatus.Status;
    result->information = irp->IoStatus.Information;
  }
  IoFreeIrp(irp);
  return status;
}

/* Has the I/O manager build the request, and waits for its end. */
static NTSTATUS send_built(const struct connection *connection, ULONG code, BOOLEAN internal, PVOID input, ULONG input_length,
                           PVOID output, ULONG output_length, struct result *result) {
  KEVENT ended;
  IO_STATUS_BLOCK status_block = {0};
  KeInitializeEvent(&ended, NotificationEvent, FALSE);
  PIRP irp = IoBuildDeviceIoControlRequest(code, connection->target, input, input_length, output, output_length, internal,
                                           &ended, &status_block);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoGetNextIrpStackLocation(irp)->FileObject = connection->file;
  result->status = IoCallDriver(connection->target, irp);
  if (result->status == STATUS_PENDING) {
    KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
    result->pended = TRUE;
    result->status = status_block.Status;
  }
  result->information = status_block.Information;
  return STATUS_SUCCESS;
}

static NTSTATUS send(PDEVICE_OBJECT device, PIRP irp, const struct command *command, ULONG input_length, ULONG room) {
  const struct connection *connection = connection_of(irp);
  struct result *reply = irp->AssociatedIrp.SystemBuffer;
  struct result result = {0};
  ULONG length = input_length > command->output_length ? input_length : command->output_length;
  PUCHAR buffer = ExAllocatePoolWithTag(NonPagedPoolNx, length + 1, TAG);
  if (buffer == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  RtlZeroMemory(buffer, length + 1);
  RtlCopyMemory(buffer, (const UCHAR *)irp->AssociatedIrp.SystemBuffer + sizeof(*command), input_length);
  NTSTATUS status = command->way == WAY_BUILT ? send_built(connection, command->code, FALSE, buffer, input_length, buffer,
                                                           command->output_length, &result)
                                              : send_own(device, connection, command, buffer, input_length, &result);
  if (status == STATUS_SUCCESS) {
    *reply = result;
    RtlCopyMemory(reply + 1, buffer, room);
  }
  ExFreePoolWithTag(buffer, TAG);
  return status;
}

static NTSTATUS query(PIRP irp, const NETIO_ANYCAST_INTERFACE_REQUEST *asked) {
  struct connection *connection = connection_of(irp);
  NETIO_ANYCAST_INTERFACE_REQUEST request = *asked;
  NETIO_ANYCAST_INTERFACE calls;
  struct result result = {0};
  NTSTATUS status = send_built(connection, IOCTL_NETIO_ANYCAST_QUERY_INTERFACE, TRUE, &request, sizeof(request), &calls,
                               sizeof(calls), &result);
  if (status == STATUS_SUCCESS) {
    status = result.status;
  }
  if (status != STATUS_SUCCESS) {
    return status;
  }
  if (result.information != sizeof(calls) || calls.Size != sizeof(calls) || calls.Version != request.Version) {
    return STATUS_UNSUCCESSFUL;
  }
  connection->calls = calls;
  return STATUS_SUCCESS;
}

/* Copies as many rows of a table as fit, frees it, and tells how many there were. */
static ULONG take_table(const NETIO_ANYCAST_INTERFACE *calls, NETIO_ANYCAST_TABLE_HEADER *table, MIB_ANYCASTIPADDRESS_ROW *rows,
                        ULONG room) {
  ULONG count = table->Count;
  RtlCopyMemory(rows, NETIO_ANYCAST_ROWS(table), (count < room ? count : room) * sizeof(*rows));
  calls->FreeTable(calls->Context, table);
  return count;
}

static NTSTATUS call(PIRP irp, ULONG room) {
  const NETIO_ANYCAST_INTERFACE *calls = &connection_of(irp)->calls;
  struct command command = *(struct command *)irp->AssociatedIrp.SystemBuffer;
  struct arguments arguments = *(struct arguments *)((struct command *)irp->AssociatedIrp.SystemBuffer + 1);
  struct result *reply = irp->AssociatedIrp.SystemBuffer;
  MIB_ANYCASTIPADDRESS_ROW *rows = (MIB_ANYCASTIPADDRESS_ROW *)(reply + 1);
  NETIO_ANYCAST_TABLE_HEADER *table = NULL;
  struct result result = {0};
  KIRQL before;
  KeRaiseIrql((KIRQL)command.irql, &before);
  switch (command.code) {
  case FUNCTION_CREATE:
    result.status = calls->Create(calls->Context, &arguments.row, arguments.lifetime, arguments.flags, &arguments.row);
    break;
  case FUNCTION_DELETE:
    result.status = calls->Delete(calls->Context, &arguments.row, arguments.flags);
    break;
  case FUNCTION_GET:
    result.status = calls->Get(calls->Context, &arguments.row);
    break;
  default:
    result.status = calls->GetTable(calls->Context, NULL, &table);
    break;
  }
  KeLowerIrql(before);
  RtlZeroMemory(rows, room);
  if (table != NULL) {
    result.information = take_table(calls, table, rows, room / sizeof(*rows));
  } else if (room >= sizeof(*rows)) {
    rows[0] = arguments.row;
  }
  *reply = result;
  return STATUS_SUCCESS;
}

static NTSTATUS count_reference(PIRP irp, BOOLEAN more) {
  struct connection *connection = connection_of(irp);
  const struct command *command = irp->AssociatedIrp.SystemBuffer;
  KIRQL before;
  KeRaiseIrql((KIRQL)command->irql, &before);
  if (more) {
    connection->calls.InterfaceReference(connection->calls.Context);
  } else {
    connection->calls.InterfaceDereference(connection->calls.Context);
  }
  KeLowerIrql(before);
  return STATUS_SUCCESS;
}

static NTSTATUS forget(PIRP irp) {
  connection_of(irp)->file = NULL;
  connection_of(irp)->calls.Context = NULL;
  return STATUS_SUCCESS;
}

static NTSTATUS NTAPI control(PDEVICE_OBJECT device, PIRP irp) {
  ULONG input = location(irp)->Parameters.DeviceIoControl.InputBufferLength;
  ULONG output = location(irp)->Parameters.DeviceIoControl.OutputBufferLength;
  struct command command = {0};
  if (input >= sizeof(command)) {
    command = *(struct command *)irp->AssociatedIrp.SystemBuffer;
  }
  NTSTATUS status;
  switch (location(irp)->Parameters.DeviceIoControl.IoControlCode) {
  case IOCTL_PROXY_SEND:
    status = send(device, irp, &command, input - sizeof(command), output - sizeof(struct result));
    return complete(irp, status, status == STATUS_SUCCESS ? output : 0);
  case IOCTL_PROXY_CALL:
    status = call(irp, output - sizeof(struct result));
    return complete(irp, status, output);
  case IOCTL_PROXY_QUERY:
    return complete(irp, query(irp, irp->AssociatedIrp.SystemBuffer), 0);
  case IOCTL_PROXY_REFERENCE:
    return complete(irp, count_reference(irp, TRUE), 0);
  case IOCTL_PROXY_DEREFERENCE:
    return complete(irp, count_reference(irp, FALSE), 0);
  case IOCTL_PROXY_FORGET:
    return complete(irp, forget(irp), 0);
  default:
    return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  UNREFERENCED_PARAMETER(registry_path);
  NTSTATUS status = create_device(driver, 0, control, remove_device);
  if (status == STATUS_SUCCESS) {
    driver->MajorFunction[IRP_MJ_CREATE] = open;
    driver->MajorFunction[IRP_MJ_CLOSE] = close;
  }
  return status;
}
