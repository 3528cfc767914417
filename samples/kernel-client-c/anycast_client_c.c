/*
 * A kernel driver that uses the netio-anycast driver, in C: it holds anycast addresses for as long as it is loaded.
 *
 * hold_addresses() is what there is to learn: it calls the driver by IRPs and directly. The rest is what every such driver needs
 * around it: a device object by which the I/O manager keeps the image, a work item that opens the driver's device, and the notice
 * that the driver is there, for when this one is loaded first. docs/kernel-clients.md tells what can go wrong.
 */
#include <ntifs.h>
#include <netio_anycast.h>

/* From the block for documentation (RFC 5737): held by way of IRPs, held by way of direct calls, and given back at once. */
#define ADDRESS_BY_IRP 53
#define ADDRESS_DIRECT 54
#define ADDRESS_FOR_A_MOMENT 55

/* The leases that are listed. */
#define ROOM 8

/* What GET and the others need at DISPATCH_LEVEL, where nobody can wait. */
typedef struct {
  KDPC dpc;
  PIRP irp;
  PDEVICE_OBJECT target;
  KEVENT ended;
  /* The system buffer of the IRP: its input, then its output. */
  MIB_ANYCASTIPADDRESS_ROW row;
} RAISED_REQUEST;

/* What the device object carries. */
typedef struct {
  PDEVICE_OBJECT device;
  ULONG interface_index;

  PCALLBACK_OBJECT callback_object;
  PVOID registration;

  /* Opens the driver's device. `asked` counts the runs that were asked for and are not over. */
  PIO_WORKITEM work_item;
  volatile LONG asked;
  volatile LONG stopping;
  EX_RUNDOWN_REF runs;

  /* The driver's device, if it is open. */
  PFILE_OBJECT file;
  PDEVICE_OBJECT target;
  /* The direct-call interface, if there is one: then its context is not null. */
  NETIO_ANYCAST_INTERFACE calls;

  RAISED_REQUEST raised;
  struct {
    NETIO_ANYCAST_TABLE_HEADER header;
    NETIO_ANYCAST_LEASE_ROW rows[ROOM];
  } leases;
} CLIENT;

DRIVER_INITIALIZE DriverEntry;

/* 192.0.2.`host` on the client's interface. */
static MIB_ANYCASTIPADDRESS_ROW address_row(const CLIENT *client, UCHAR host) {
  MIB_ANYCASTIPADDRESS_ROW row;
  RtlZeroMemory(&row, sizeof(row));
  row.Address.Ipv4.sin_family = AF_INET;
  row.Address.Ipv4.sin_addr.S_un.S_un_b.s_b1 = 192;
  row.Address.Ipv4.sin_addr.S_un.S_un_b.s_b3 = 2;
  row.Address.Ipv4.sin_addr.S_un.S_un_b.s_b4 = host;
  row.InterfaceIndex = client->interface_index;
  return row;
}

/*
 * Sends a control code and waits for its end, at PASSIVE_LEVEL. With `internal` it is IRP_MJ_INTERNAL_DEVICE_CONTROL.
 *
 * The I/O manager builds the IRP and ends it in this thread, so that no routine of this driver is called.
 */
static NTSTATUS send(const CLIENT *client, ULONG code, BOOLEAN internal, PVOID input, ULONG input_length, PVOID output,
                     ULONG output_length) {
  KEVENT ended;
  IO_STATUS_BLOCK status_block;
  KeInitializeEvent(&ended, NotificationEvent, FALSE);
  PIRP irp = IoBuildDeviceIoControlRequest(code, client->target, input, input_length, output, output_length, internal,
                                           &ended, &status_block);
  if (irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  /* Without it the driver does not know whose leases it makes. */
  IoGetNextIrpStackLocation(irp)->FileObject = client->file;
  NTSTATUS status = IoCallDriver(client->target, irp);
  if (status == STATUS_PENDING) {
    KeWaitForSingleObject(&ended, Executive, KernelMode, FALSE, NULL);
    status = status_block.Status;
  }
  return status;
}

/* Opens the driver's device. The I/O manager closes its handle; what stays is the reference to the file object. */
static NTSTATUS open_driver(CLIENT *client) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(NETIO_ANYCAST_DEVICE_NAME);
  NETIO_ANYCAST_VERSION version;
  NTSTATUS status =
      IoGetDeviceObjectPointer(&name, FILE_READ_DATA | FILE_WRITE_DATA, &client->file, &client->target);
  if (status != STATUS_SUCCESS) {
    client->file = NULL;
    return status;
  }
  status = send(client, IOCTL_NETIO_ANYCAST_QUERY_VERSION, FALSE, NULL, 0, &version, sizeof(version));
  if (status == STATUS_SUCCESS && (version.Protocol != NETIO_ANYCAST_PROTOCOL_VERSION ||
                                   (version.Features & NETIO_ANYCAST_FEATURE_LEASES) == 0)) {
    status = STATUS_REVISION_MISMATCH;
  }
  return status;
}

static NTSTATUS query_interface(CLIENT *client) {
  NETIO_ANYCAST_INTERFACE_REQUEST request = {sizeof(NETIO_ANYCAST_INTERFACE), NETIO_ANYCAST_INTERFACE_VERSION, 0};
  NETIO_ANYCAST_INTERFACE calls;
  NTSTATUS status = send(client, IOCTL_NETIO_ANYCAST_QUERY_INTERFACE, TRUE, &request, sizeof(request), &calls, sizeof(calls));
  if (status == STATUS_SUCCESS) {
    client->calls = calls;
  }
  return status;
}

/* Gives back what there is: the leases go with it. */
static VOID close_driver(CLIENT *client) {
  if (client->calls.Context != NULL) {
    client->calls.InterfaceDereference(client->calls.Context);
    client->calls.Context = NULL;
  }
  if (client->file != NULL) {
    ObDereferenceObject(client->file);
    client->file = NULL;
  }
}

/*
 * The completion routine of an IRP of this driver's. The I/O manager keeps the image until it has returned, since it was set with
 * IoSetCompletionRoutineEx.
 */
static NTSTATUS NTAPI keep_irp(PDEVICE_OBJECT device, PIRP irp, PVOID ended) {
  UNREFERENCED_PARAMETER(device);
  UNREFERENCED_PARAMETER(irp);
  KeSetEvent(ended, IO_NO_INCREMENT, FALSE);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

static VOID NTAPI send_raised(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2) {
  RAISED_REQUEST *request = context;
  UNREFERENCED_PARAMETER(dpc);
  UNREFERENCED_PARAMETER(argument1);
  UNREFERENCED_PARAMETER(argument2);
  IoCallDriver(request->target, request->irp);
}

/* GET, sent by a DPC at DISPATCH_LEVEL; its end is waited for here, at PASSIVE_LEVEL. */
static NTSTATUS get_from_dpc(CLIENT *client, UCHAR host) {
  RAISED_REQUEST *request = &client->raised;
  request->target = client->target;
  request->row = address_row(client, host);
  request->irp = IoAllocateIrp(client->target->StackSize, FALSE);
  if (request->irp == NULL) {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  PIO_STACK_LOCATION location = IoGetNextIrpStackLocation(request->irp);
  location->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
  location->FileObject = client->file;
  location->Parameters.DeviceIoControl.IoControlCode = IOCTL_NETIO_ANYCAST_GET;
  location->Parameters.DeviceIoControl.InputBufferLength = sizeof(request->row);
  location->Parameters.DeviceIoControl.OutputBufferLength = sizeof(request->row);
  request->irp->AssociatedIrp.SystemBuffer = &request->row;
  KeInitializeEvent(&request->ended, NotificationEvent, FALSE);
  NTSTATUS status =
      IoSetCompletionRoutineEx(client->device, request->irp, keep_irp, &request->ended, TRUE, TRUE, TRUE);
  if (status == STATUS_SUCCESS) {
    KeInitializeDpc(&request->dpc, send_raised, request);
    KeInsertQueueDpc(&request->dpc, NULL, NULL);
    KeWaitForSingleObject(&request->ended, Executive, KernelMode, FALSE, NULL);
    /* The DPC's routine may not have returned yet. */
    KeFlushQueuedDpcs();
    status = request->irp->IoStatus.Status;
  }
  IoFreeIrp(request->irp);
  return status;
}

/* Leases an address by an IRP. It goes with the file object. */
static NTSTATUS lease_by_irp(const CLIENT *client, UCHAR host) {
  NETIO_ANYCAST_CREATE_REQUEST request = {address_row(client, host), NETIO_ANYCAST_LIFETIME_HANDLE, 0};
  MIB_ANYCASTIPADDRESS_ROW resolved;
  return send(client, IOCTL_NETIO_ANYCAST_CREATE, FALSE, &request, sizeof(request), &resolved, sizeof(resolved));
}

/* Leases an address by a direct call. It goes with the interface. */
static NTSTATUS lease_directly(const CLIENT *client, UCHAR host) {
  MIB_ANYCASTIPADDRESS_ROW row = address_row(client, host);
  return client->calls.Create(client->calls.Context, &row, NETIO_ANYCAST_LIFETIME_HANDLE, 0, NULL);
}

static NTSTATUS release_directly(const CLIENT *client, UCHAR host) {
  MIB_ANYCASTIPADDRESS_ROW row = address_row(client, host);
  return client->calls.Delete(client->calls.Context, &row, 0);
}

/* Lists leases by an IRP: as many as there is room for, and how many there are. */
static NTSTATUS list_leases(CLIENT *client) {
  NETIO_ANYCAST_LEASE_FILTER all;
  RtlZeroMemory(&all, sizeof(all));
  NTSTATUS status = send(client, IOCTL_NETIO_ANYCAST_LIST_LEASES, FALSE, &all, sizeof(all), &client->leases,
                         sizeof(client->leases));
  if (status != STATUS_SUCCESS && status != STATUS_BUFFER_OVERFLOW) {
    return status;
  }
  DbgPrint("anycast_client_c: %u leases are held\n", client->leases.header.Total);
  return STATUS_SUCCESS;
}

/* Lists addresses by a direct call: the whole table, in the driver's memory. */
static NTSTATUS list_addresses(const CLIENT *client) {
  NETIO_ANYCAST_TABLE_HEADER *table;
  NTSTATUS status = client->calls.GetTable(client->calls.Context, NULL, &table);
  if (status == STATUS_SUCCESS) {
    DbgPrint("anycast_client_c: %u addresses are there\n", table->Count);
    client->calls.FreeTable(client->calls.Context, table);
  }
  return status;
}

/* What the driver is there for. Only STATUS_SUCCESS is success. */
static NTSTATUS hold_addresses(CLIENT *client) {
  NTSTATUS status = open_driver(client);
  if (status == STATUS_SUCCESS) {
    status = lease_by_irp(client, ADDRESS_BY_IRP);
  }
  if (status == STATUS_SUCCESS) {
    status = query_interface(client);
  }
  if (status == STATUS_SUCCESS) {
    status = lease_directly(client, ADDRESS_DIRECT);
  }
  if (status == STATUS_SUCCESS) {
    status = lease_directly(client, ADDRESS_FOR_A_MOMENT);
  }
  if (status == STATUS_SUCCESS) {
    status = release_directly(client, ADDRESS_FOR_A_MOMENT);
  }
  if (status == STATUS_SUCCESS) {
    status = list_leases(client);
  }
  if (status == STATUS_SUCCESS) {
    status = list_addresses(client);
  }
  if (status == STATUS_SUCCESS) {
    status = get_from_dpc(client, ADDRESS_BY_IRP);
  }
  if (status != STATUS_SUCCESS) {
    close_driver(client);
  }
  return status;
}

/* The work item's routine, on a system thread at PASSIVE_LEVEL: one attempt for all that were asked for before it. */
static VOID NTAPI try_to_hold(PDEVICE_OBJECT device, PVOID context) {
  CLIENT *client = context;
  LONG asked;
  UNREFERENCED_PARAMETER(device);
  do {
    asked = client->asked;
    if (!client->stopping && client->file == NULL) {
      NTSTATUS status = hold_addresses(client);
      DbgPrint("anycast_client_c: ended with status %08X\n", status);
    }
  } while (InterlockedExchangeAdd(&client->asked, -asked) != asked);
  ExReleaseRundownProtection(&client->runs);
}

/* Asks for an attempt. */
static VOID ask(CLIENT *client) {
  if (InterlockedIncrement(&client->asked) == 1 && ExAcquireRundownProtection(&client->runs)) {
    IoQueueWorkItem(client->work_item, try_to_hold, DelayedWorkQueue, client);
  }
}

/* What the netio-anycast driver calls, in the thread that loads or unloads it: no place to do more. */
static VOID NTAPI notice(PVOID context, PVOID argument1, PVOID argument2) {
  UNREFERENCED_PARAMETER(argument2);
  if (argument1 == (PVOID)NETIO_ANYCAST_NOTICE_READY) {
    ask(context);
  }
}

/* Registers for the driver's notices. Whoever comes first, this driver or that, creates the object. */
static NTSTATUS register_for_notices(CLIENT *client) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(NETIO_ANYCAST_CALLBACK_NAME);
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE, NULL, NULL);
  NTSTATUS status = ExCreateCallback(&client->callback_object, &attributes, TRUE, TRUE);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  client->registration = ExRegisterCallback(client->callback_object, notice, client);
  if (client->registration == NULL) {
    ObDereferenceObject(client->callback_object);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  return STATUS_SUCCESS;
}

/* Opens a registry key: `name` below `parent`, or a whole path. */
static NTSTATUS open_key(HANDLE parent, PUNICODE_STRING name, PHANDLE key) {
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, parent, NULL);
  return ZwOpenKey(key, KEY_QUERY_VALUE, &attributes);
}

/* The REG_DWORD `InterfaceIndex` of the service's Parameters key. */
static NTSTATUS read_interface_index(PUNICODE_STRING service_path, PULONG index) {
  UNICODE_STRING parameters_name = RTL_CONSTANT_STRING(L"Parameters");
  UNICODE_STRING value_name = RTL_CONSTANT_STRING(L"InterfaceIndex");
  union {
    KEY_VALUE_PARTIAL_INFORMATION information;
    UCHAR bytes[FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG)];
  } value;
  HANDLE service, parameters;
  ULONG length;
  NTSTATUS status = open_key(NULL, service_path, &service);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  status = open_key(service, &parameters_name, &parameters);
  ZwClose(service);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  status = ZwQueryValueKey(parameters, &value_name, KeyValuePartialInformation, &value, sizeof(value), &length);
  ZwClose(parameters);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  if (value.information.Type != REG_DWORD || value.information.DataLength != sizeof(ULONG)) {
    return STATUS_INVALID_PARAMETER;
  }
  RtlCopyMemory(index, value.information.Data, sizeof(ULONG));
  return STATUS_SUCCESS;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver) {
  CLIENT *client = driver->DeviceObject->DeviceExtension;
  /* First nobody asks any more, then what was asked for is over, then what it made is given back. */
  ExUnregisterCallback(client->registration);
  ObDereferenceObject(client->callback_object);
  InterlockedExchange(&client->stopping, TRUE);
  ExWaitForRundownProtectionRelease(&client->runs);
  close_driver(client);
  IoFreeWorkItem(client->work_item);
  IoDeleteDevice(driver->DeviceObject);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path) {
  PDEVICE_OBJECT device;
  ULONG interface_index;
  NTSTATUS status = read_interface_index(registry_path, &interface_index);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  driver->DriverUnload = unload;
  /* Without a name: nobody can open it. */
  status = IoCreateDevice(driver, sizeof(CLIENT), NULL, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &device);
  if (status != STATUS_SUCCESS) {
    return status;
  }
  /* The I/O manager has zeroed it. */
  CLIENT *client = device->DeviceExtension;
  client->device = device;
  client->interface_index = interface_index;
  ExInitializeRundownProtection(&client->runs);
  client->work_item = IoAllocateWorkItem(device);
  status = client->work_item == NULL ? STATUS_INSUFFICIENT_RESOURCES : register_for_notices(client);
  if (status != STATUS_SUCCESS) {
    if (client->work_item != NULL) {
      IoFreeWorkItem(client->work_item);
    }
    IoDeleteDevice(device);
    return status;
  }
  /* The driver may be there already: it does not tell again. */
  ask(client);
  return STATUS_SUCCESS;
}
